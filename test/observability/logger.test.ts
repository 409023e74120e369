import { createDebugSwitch } from '../../src/observability/debug-switch';
import { createLogger, type LoggerOptions } from '../../src/observability/logger';

describe('createLogger', () => {
  const lines: string[] = [];
  const createLog = (options: Partial<LoggerOptions> = {}) =>
    createLogger({
      level: 'info',
      asJson: false,
      appId: 'myapp',
      instance: 'host',
      daprVersion: '1.18.3',
      now: () => new Date('2026-01-02T03:04:05.678Z'),
      write: (line) => lines.push(line),
      ...options,
    });
  beforeEach(() => {
    lines.length = 0;
  });

  it("writes daprd's text form", () => {
    createLog().info('dapr initialized.');
    expect(lines.join('')).toMatch(
      /^time="2026-01-0\dT\S+:05\.678\S+" level=info msg="dapr initialized\." app_id=myapp instance=host scope=dapr\.runtime type=log ver=1\.18\.3\n$/,
    );
  });

  it("writes daprd's JSON form on request", () => {
    createLog({ asJson: true }).scoped('dapr.api').error('broken', { code: 3 });
    expect(JSON.parse(lines[0]!)).toMatchObject({
      app_id: 'myapp',
      code: 3,
      instance: 'host',
      level: 'error',
      msg: 'broken',
      scope: 'dapr.api',
      type: 'log',
      ver: '1.18.3',
    });
  });

  it('spells warnings out', () => {
    createLog().warn('careful');
    expect(lines[0]).toContain('level=warning msg=careful');
  });

  it.each([
    ['debug', 5],
    ['info', 4],
    ['warn', 3],
    ['error', 2],
    ['fatal', 1],
  ] as const)('at level %s writes %i of the five levels', (level, count) => {
    const log = createLog({ level });
    for (const write of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log[write]('x');
    expect(lines).toHaveLength(count);
  });

  it('changes its level while it runs, for scopes that there are already too', () => {
    const log = createLog();
    const scope = log.scoped('dapr.api');
    const always = log.scoped('dapr.runtime.http-info', { level: 'info' });
    expect(scope.isDebug).toBe(false);
    log.level = 'debug';
    expect(scope.isDebug).toBe(true);
    scope.debug('seen');
    log.level = 'error';
    scope.info('unseen');
    always.info('seen too');
    expect(lines).toEqual([
      expect.stringContaining('msg=seen '),
      expect.stringContaining('msg="seen too"'),
    ]);
  });

  it.each([
    ['info', ['debug', 'info']],
    ['error', ['debug', 'error']],
    ['debug', ['info', 'debug']],
  ] as const)('is switched from %s to debug lines and back', (level, levels) => {
    const log = createLog({ level });
    const flip = createDebugSwitch(log);
    for (const next of levels) {
      flip();
      expect(log.level).toBe(next);
      expect(lines.at(-1)).toContain(`level=info msg="Log level set to: ${next}"`);
    }
  });
});
