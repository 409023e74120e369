import { toJsonLine, toTextLine } from '../../src/observability/log-line';

describe('toTextLine', () => {
  it('puts time, level and message first and sorts the rest', () => {
    const entry = { ver: '1.18.3', msg: 'a b', app_id: 'x', level: 'info', time: 't', scope: 's' };
    expect(toTextLine(entry)).toBe('time=t level=info msg="a b" app_id=x scope=s ver=1.18.3\n');
  });

  it.each([
    ['plain', 'plain'],
    ['a/b.c-d_e@f^g+h', 'a/b.c-d_e@f^g+h'],
    ['', ''],
    ['two words', '"two words"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['line\nbreak', '"line\\nbreak"'],
    ['möglich', '"möglich"'],
  ])('writes %j as %s', (text, written) => {
    expect(toTextLine({ msg: text })).toBe(`msg=${written}\n`);
  });

  it('writes numbers and booleans bare', () => {
    expect(toTextLine({ a: 1, b: true })).toBe('a=1 b=true\n');
  });
});

describe('toJsonLine', () => {
  it('sorts the keys', () => {
    expect(toJsonLine({ b: 1, a: 'x' })).toBe('{"a":"x","b":1}\n');
  });

  it('escapes what Go escapes', () => {
    expect(toJsonLine({ msg: '<a> & \u2028' })).toBe('{"msg":"\\u003ca\\u003e \\u0026 \\u2028"}\n');
  });
});
