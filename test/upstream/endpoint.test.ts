import { parseArguments } from '../../src/command-line/parse-arguments';
import { parseEndpoint } from '../../src/upstream/endpoint';

describe('parseEndpoint', () => {
  it.each([
    ['127.0.0.1:3501', 'http://127.0.0.1:3501', false, { host: '127.0.0.1', port: 3501 }],
    ['daprd:80', 'http://daprd:80', false, { host: 'daprd', port: 80 }],
    ['http://daprd', 'http://daprd:80', false, { host: 'daprd', port: 80 }],
    ['https://daprd/', 'https://daprd:443', true, { host: 'daprd', port: 443 }],
    ['https://daprd:5000', 'https://daprd:5000', true, { host: 'daprd', port: 5000 }],
    ['[::1]:3501', 'http://[::1]:3501', false, { host: '::1', port: 3501 }],
    ['unix:///tmp/a.sock', 'unix:/tmp/a.sock', false, { socketPath: '/tmp/a.sock' }],
    ['unix:/tmp/a.sock', 'unix:/tmp/a.sock', false, { socketPath: '/tmp/a.sock' }],
    ['unix:a.sock', 'unix:a.sock', false, { socketPath: 'a.sock' }],
  ])('reads %s', (text, shown, isTls, address) => {
    expect(parseEndpoint(text)).toEqual({ shown, isTls, address });
  });

  it.each([
    ['daprd', 'its port is missing'],
    ['daprd:0', '0 is not a port'],
    ['daprd:70000', 'it is not an endpoint'],
    ['ftp://daprd:1', 'it is not an endpoint'],
    ['a b:1', 'it is not an endpoint'],
    ['http://user:secret@daprd:1', 'it must not contain a user or a password'],
    ['http://daprd:1/path', 'it must not contain a path or a query'],
    ['daprd:1?tls=true', 'it must not contain a path or a query'],
    ['unix:', 'it names no socket file'],
    [`unix:/${'x'.repeat(200)}`, 'the path of its socket is longer than 107 bytes'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseEndpoint(text)).toThrow(reason);
  });
});

describe('the flags of an upstream', () => {
  const parse = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    parseArguments(['--app-id', 'a', ...argv], env, { daprVersion: '', holdfastVersion: '' });

  it('are used before the environment', () => {
    const env = {
      HOLDFAST_UPSTREAM_GRPC_ENDPOINT: 'other:1',
      HOLDFAST_UPSTREAM_HTTP_ENDPOINT: 'daprd:2',
    };
    expect(parse(['--upstream-grpc-endpoint=daprd:1'], env)).toMatchObject({
      options: {
        upstreamEndpoints: { grpc: { shown: 'http://daprd:1' }, http: { shown: 'http://daprd:2' } },
      },
    });
  });

  it.each([
    [['--upstream-http-endpoint', 'http://u:secret@x:1'], '--upstream-http-endpoint: it must not'],
    [['--upstream-http-endpoint=localhost:3500'], 'is a port of this sidecar'],
    [['--upstream-grpc-endpoint=[::1]:50001'], 'is a port of this sidecar'],
    [['--max-upstream-calls=-1'], 'invalid value for --max-upstream-calls: -1'],
  ])('are refused: %j', (argv, reason) => {
    const invocation = parse(argv);
    expect(invocation).toMatchObject({ kind: 'invalid', exitCode: 1 });
    expect(invocation).toHaveProperty('message', expect.stringContaining(reason));
    expect(invocation).not.toHaveProperty('message', expect.stringContaining('secret'));
  });
});
