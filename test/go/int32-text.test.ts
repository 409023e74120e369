import fc from 'fast-check';

import { toInt32 } from '../../src/go/int32-text';

describe('toInt32', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['60', 60],
    ['60.0', 60],
    ['1e1', 10],
    ['1E+1', 10],
    ['100e-2', 1],
    ['1.50e1', 15],
    ['0.1e1', 1],
    ['-5', -5],
    ['2147483647', 2_147_483_647],
    ['-2147483648', -2_147_483_648],
    ['21474836470e-1', 2_147_483_647],
    ['0e999999999999', 0],
  ])('reads %s as %d', (text, value) => {
    expect(toInt32(text)).toBe(value);
  });

  it.each([
    '10.5',
    '1e-1',
    '2147483648',
    '-2147483649',
    '9999999999',
    '1e400',
    '1e999999999999',
    '10.00000000000000000001',
    '010',
    '+1',
    '.5',
    '5.',
    '',
    ' 10',
    '10 ',
    'abc',
    '0x10',
    '1_000',
    'Infinity',
    'NaN',
  ])('refuses %j', (text) => {
    expect(toInt32(text)).toBeUndefined();
  });

  it('reads every int32 in any way to write it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 5 }), (value, zeros) => {
        expect(toInt32(String(value))).toBe(value);
        expect(toInt32(`${value}.${'0'.repeat(zeros + 1)}`)).toBe(value);
        // JSON has no leading zeros: 00e-1 is no number.
        if (value !== 0) expect(toInt32(`${value}${'0'.repeat(zeros)}e-${zeros}`)).toBe(value);
      }),
    );
  });
});
