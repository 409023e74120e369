import { parseQuantity } from '../../src/command-line/quantity';

describe('parseQuantity', () => {
  it.each([
    ['4194304', 4_194_304],
    ['4Mi', 4_194_304],
    ['4M', 4_000_000],
    ['1.5Ki', 1536],
    ['1e3', 1000],
    ['.5k', 500],
    ['0.0001', 1],
    ['-1', -1],
    ['0', 0],
  ])('reads %s as %d', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', '4MB', 'x', '4 Mi', '4m', '1e', 'Mi', '1e30'])('does not read %j', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
