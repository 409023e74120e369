import { toInstanceSentence } from '../../src/page/instances';
import { toShownLock } from '../../src/page/shown-locks';
import { shorten, toAgo, toDuration, toPlain } from '../../src/page/words';

describe('what the page says', () => {
  it.each([
    [-5, '0.0 s'],
    [3449, '3.4 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [90_000, '1 min 30 s'],
    [3_600_000, '1 h'],
    [5_400_000, '1 h 30 min'],
    [90_061_000, '1 d 1 h'],
    [2 ** 31 * 1000, '24855 d 3 h'],
  ])('of %d ms left is %s', (ms, words) => {
    expect(toDuration(ms)).toBe(words);
  });

  it.each([
    [999, 'now'],
    [1000, '1 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3 * 86_400_000, '3 d ago'],
  ])('of %d ms passed is %s', (ms, words) => {
    expect(toAgo(ms)).toBe(words);
  });

  it.each([
    ['a b', 'a b'],
    [' a  b ', '␣a  b␣'],
    ['\n', '\\n'],
    ['\u202e\u0000é', '\\u202e\\u0000é'],
  ])('of the name %j is %s', (text, words) => {
    expect(toPlain(text)).toBe(words);
  });

  it('of a long name is its beginning, without half a character', () => {
    expect(shorten('abc', 3)).toBe('abc');
    expect(shorten('abcd', 3)).toBe('ab…');
    expect(shorten('a🔒🔒', 3)).toBe('a…');
    expect(shorten('a🔒🔒', 4)).toBe('a🔒…');
  });
});

describe('what the page has seen of a lock', () => {
  const lock = {
    resourceId: 'r',
    lockOwner: 'o',
    fencingToken: 7,
    ttlMs: 5000,
    expiresAtMs: 100_000,
    waiters: 0,
  };
  const first = toShownLock(lock, undefined, 1000);

  it('is its end on the clock of the page, and the longest time left', () => {
    expect(first).toMatchObject({ endsAtMs: 6000, longestMs: 5000, renewals: 0 });
    const later = toShownLock({ ...lock, ttlMs: 3000 }, first, 3000);
    expect(later).toMatchObject({ endsAtMs: 6000, longestMs: 5000, renewals: 0 });
  });

  it('is how often the same grant was renewed', () => {
    const renewed = toShownLock({ ...lock, ttlMs: 9000, expiresAtMs: 104_000 }, first, 1500);
    expect(renewed).toMatchObject({ renewals: 1, renewedAtMs: 1500, longestMs: 9000 });
    const later = toShownLock({ ...lock, ttlMs: 8000, expiresAtMs: 104_000 }, renewed, 2500);
    expect(later).toMatchObject({ renewals: 1, renewedAtMs: 1500, readAtMs: 2500 });
  });

  it.each([{ fencingToken: 8 }, { lockOwner: 'p' }])('begins anew with another grant', (other) => {
    const next = toShownLock({ ...lock, ...other, ttlMs: 100, expiresAtMs: 200_000 }, first, 2000);
    expect(next).toMatchObject({ renewals: 0, longestMs: 100 });
  });

  it('has no end where the lease has none', () => {
    const endless = toShownLock({ ...lock, ttlMs: undefined, expiresAtMs: 0 }, undefined, 0);
    expect(endless).toMatchObject({ endsAtMs: undefined, longestMs: 0 });
  });
});

describe('what the page says of the process that answers', () => {
  const before = { overview: { instance: 'one', uptimeMs: 60_000 }, readAtMs: 10_000 };

  it.each([
    ['the same', 'one', 62_000, /^$/],
    ['a restarted one', 'two', 1500, /^The sidecar was restarted/],
    ['one that ran already', 'two', 2001, /^Another sidecar answers now: two\./],
  ])('is, of %s', (_which, instance, uptimeMs, sentence) => {
    const now = { overview: { instance, uptimeMs }, readAtMs: 12_000 };
    expect(toInstanceSentence(before, now)).toMatch(sentence);
  });
});
