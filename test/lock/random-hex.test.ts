import { RandomHex } from '../../src/lock/random-hex';

describe('random hexadecimal digits', () => {
  it('come in the length that was asked for, and never twice', () => {
    const random = new RandomHex();
    // More than two draws, of lengths that do not divide one.
    const taken = Array.from({ length: 900 }, (_, at) => random.take(at % 2 === 0 ? 16 : 7));
    expect(taken.every((digits, at) => digits.length === (at % 2 === 0 ? 32 : 14))).toBe(true);
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken.join('')).toMatch(/^[0-9a-f]+$/);
  });

  it.each([0, -16, 1.5, 5000, NaN])('are not given as %d bytes', (bytes) => {
    expect(() => new RandomHex().take(bytes)).toThrow('1 to 4096 random bytes');
  });

  it('differ from one source to the next', () => {
    expect(new RandomHex().take(16)).not.toBe(new RandomHex().take(16));
  });
});
