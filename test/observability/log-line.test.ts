import fc from 'fast-check';

import { toJsonLine, toTextLine } from '../../src/observability/log-line';

/** Characters that a terminal obeys or hides. Only the log itself writes a line feed, to end a line. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const HOSTILE = [
  '\u0000',
  '\u0007',
  '\u001b[2J',
  '\r',
  '\u007f',
  '\u0085',
  '\u009b2J',
  '\u061c',
  '\u200b',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufeff',
  '\ud800',
  '\u{e0041}',
];

describe.each([
  ['text', toTextLine],
  ['JSON', toJsonLine],
])('a line of %s', (_form, toLine) => {
  it.each(HOSTILE)('shows %j as an escape', (text) => {
    const line = toLine({ msg: `a${text}b`, owner: text });
    expect(line.slice(0, -1)).not.toMatch(UNSEEN);
    expect(line).toContain('\\');
  });

  it('is one line of what can be seen, whatever it says', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE));
    fc.assert(
      fc.property(fc.array(text), (parts) => {
        const line = toLine({ msg: parts.join(''), other: parts.join(' ') });
        expect(line.slice(0, -1)).not.toMatch(UNSEEN);
        expect(line.endsWith('\n')).toBe(true);
      }),
    );
  });

  it('leaves letters of any script as they are', () => {
    for (const text of ['möglich', '東京', 'עברית', '🔒']) {
      expect(toLine({ msg: text })).toContain(text);
    }
  });
});

it('reads back from a line of JSON as it was', () => {
  const msg = HOSTILE.join('x');
  expect(JSON.parse(toJsonLine({ msg }))).toEqual({ msg });
});

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
