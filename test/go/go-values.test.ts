import {
  MetadataValueError,
  parseGoBoolean,
  parseGoDuration,
  parseGoInteger,
  parseRedisDuration,
} from '../../src/go/go-values';

describe('parseGoBoolean', () => {
  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('reads %s as true', (text) => {
    expect(parseGoBoolean(text)).toBe(true);
  });
  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('reads %s as false', (text) => {
    expect(parseGoBoolean(text)).toBe(false);
  });
  it.each(['', 'yes', 'tRUE', ' true'])('refuses %j', (text) => {
    expect(() => parseGoBoolean(text)).toThrow(MetadataValueError);
  });
});

describe('parseGoInteger', () => {
  const parse = (text: string) => parseGoInteger(text, { min: 0, max: 15 });
  it.each([
    ['0', 0],
    ['15', 15],
    ['+7', 7],
    ['007', 7],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toBe(value);
  });
  it.each(['', ' 1', '1.0', '0x1', '16', '-1', '1e1', 'x'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(`invalid int "${text}" (allowed: 0 to 15)`);
  });
});

describe('parseGoDuration', () => {
  it.each([
    ['5s', 5000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['1m30s', 90_000],
    ['.5s', 500],
    ['-2s', -2000],
    ['0', 0],
    ['250us', 0.25],
    ['3µs', 0.003],
    ['1000000ns', 1],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 6);
  });
  it.each(['', '5', '1d', '1 s', 's', '1.s.', 'abc'])('refuses %j', (text) => {
    expect(() => parseGoDuration(text)).toThrow(MetadataValueError);
  });
});

describe('parseRedisDuration', () => {
  it.each([
    ['250', 250],
    ['-1', -1],
    ['2s', 2000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseRedisDuration(text)).toBe(ms);
  });
});
