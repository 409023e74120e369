import { FLAGS } from '../../src/command-line/flags';
import { toUsage } from '../../src/command-line/usage';

describe('the text of --help', () => {
  const usage = toUsage();
  const lines = usage.split('\n');

  it('has at most 80 columns', () => {
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('begins with the five flags that people need first', () => {
    const names = [...usage.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    const first = ['app-id', 'resources-path', 'dapr-http-port', 'dapr-grpc-port', 'log-level'];
    expect(names.slice(0, first.length)).toEqual(first);
    const [, start = ''] = /^Start with:\n([^]*?)\n\n/m.exec(usage) ?? [];
    expect([...start.matchAll(/^ {2}--/gm)]).toHaveLength(first.length);
  });

  const text = usage.replaceAll(/\s+/g, ' ');
  const flags = Object.entries(FLAGS);

  it.each(flags.filter(([, { effect }]) => effect === 'used'))(
    'has --%s with its meaning',
    (name, flag) => {
      const value = flag.kind === 'boolean' ? '' : ` ${flag.kind.toUpperCase()}`;
      expect(text.split(` --${name}${value} ${flag.meaning}`)).toHaveLength(2);
    },
  );

  it('names those that have no effect, and no other', () => {
    const [, listed = ''] = /without effect: (.*) Environment:/.exec(text) ?? [];
    const others = flags.filter(([, { effect }]) => effect !== 'used');
    expect(listed.split(', ')).toEqual(others.map(([name]) => `--${name}`));
  });

  it('has titles for its groups', () => {
    const titles = lines.filter((line) => /^[A-Z].*:$/.test(line));
    expect(titles.length).toBeGreaterThanOrEqual(7);
    expect(titles[0]).toBe('Start with:');
    expect(titles.at(-1)).toBe('Environment:');
  });
});
