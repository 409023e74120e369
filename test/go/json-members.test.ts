import fc from 'fast-check';

import { JsonBodyError, readMembers, WantedNames } from '../../src/go/json-members';

const MEBIBYTE = 2 ** 20;

/** The members named `field` or `other`, as they are written. */
function read(body: string | Buffer): readonly (readonly [string, string])[] {
  const members: [string, string][] = [];
  readMembers(Buffer.from(body), {
    wanted: new WantedNames(['field', 'other']),
    take: ({ name, text }) => members.push([name, text]),
  });
  return members;
}

function accepts(body: string): boolean {
  try {
    read(body);
    return true;
  } catch (error) {
    if (error instanceof JsonBodyError) return false;
    throw error;
  }
}

/** The result of JSON.parse for the same text: an object, and no lone surrogate in any string of it. */
function isSoundObject(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body, (key, item: unknown) => {
      if (!key.isWellFormed() || (typeof item === 'string' && !item.isWellFormed()))
        throw new Error();
      return item;
    });
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Pieces that JSON is made of, and some that it is not. */
const PIECES = [
  ...['{', '}', '[', ']', ':', ',', '"', '\\', ' ', '\t', '\r\n', '"field"', '"a":', '{}', '[]'],
  ...[
    'true',
    'false',
    'null',
    'nul',
    'True',
    '0',
    '-',
    '-0',
    '01',
    '1.',
    '.5',
    '1.5',
    '1e',
    '1e+5',
  ],
  ...['1E-2', '+1', 'NaN', '\\n', '\\/', '\\x', '\\u', '\\u00e9', '\\uD83D\\uDD12', '\\ud800'],
  ...['\\udc00', '\\uD800\\n', '\u0001', '\u007f', '\u00a0', '\ufeff', '🔒', "'", '/**/'],
];

describe('readMembers', () => {
  it('gives the text of every wanted member in order, repeated ones too', () => {
    expect(
      read(' { "other" : 6e1 ,"x":{"field":1},"field":"a\\n","field": [ 1, {"b":"}"} ] } '),
    ).toEqual([
      ['other', '6e1'],
      ['field', '"a\\n"'],
      ['field', '[ 1, {"b":"}"} ]'],
    ]);
  });

  it('knows a name by its escapes', () => {
    expect(read('{"\\u0066ield":1,"\\u0066\\u0069\\u0065\\u006c\\u0064":2}')).toEqual([
      ['field', '1'],
      ['field', '2'],
    ]);
  });

  it('takes what JSON.parse takes, built of any pieces', () => {
    const inside = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 });
    fc.assert(
      fc.property(inside, (pieces) => {
        for (const body of [
          pieces.join(''),
          `{"a":${pieces.join('')}}`,
          `{"a":"${pieces.join('')}"}`,
        ]) {
          expect([body, accepts(body)]).toEqual([body, isSoundObject(body)]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('takes any JSON object, and none of its beginnings', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const body = JSON.stringify(value);
        expect(accepts(body)).toBe(true);
        expect(accepts(body.slice(0, cut % body.length))).toBe(false);
      }),
    );
  });

  it.each([
    [9999, true],
    [10_000, false],
  ])('follows %i lists in the object: %s', (depth, sound) => {
    expect(accepts(`{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`)).toBe(sound);
    const objects = depth - 1;
    expect(accepts(`{"x":${'{"y":'.repeat(objects)}[]${'}'.repeat(objects)}}`)).toBe(sound);
  });

  // Each took a second or far more where something was quadratic, or made of every member.
  it.each([
    ['empty names', `{${'"":1,'.repeat(MEBIBYTE * 0.8 - 2)}"":1}`],
    ['different names', `{${Array.from({ length: 400_000 }, (_, n) => `"${n}":0`).join()}}`],
    ['names as long as wanted ones', `{${'"fielD":0,'.repeat(400_000)}"":1}`],
    ['names of escapes', `{${'"\\u0041":1,'.repeat(340_000)}"":1}`],
    ['empty objects', `{"x":[${'{},'.repeat(MEBIBYTE)}{}]}`],
    ['deep values', `{"x":[${`${'['.repeat(9990)}${']'.repeat(9990)},`.repeat(200)}0]}`],
    ['strings that end in backslashes', `{"x":[${`"${'\\\\'.repeat(1000)}",`.repeat(2000)}0]}`],
    ['white space', `{${' \n'.repeat(2 * MEBIBYTE)}}`],
  ])('goes through 4 MiB of %s', (_what, body) => {
    expect(read(body)).toEqual([]);
  });
});
