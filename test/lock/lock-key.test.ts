import { createLockKeyPrefix, LockKeyError, toLockKey } from '../../src/lock/lock-key';

const keyOf = (keyPrefix: string | undefined, resource = 'r', appId = 'myapp') =>
  toLockKey(createLockKeyPrefix({ keyPrefix, appId, componentName: 'lockstore' }), resource);

describe('the key of a lock', () => {
  it.each([
    [undefined, 'lock||myapp||r'],
    ['appid', 'lock||myapp||r'],
    ['APPID', 'lock||myapp||r'],
    ['name', 'lock||lockstore||r'],
    ['none', 'lock||r'],
    ['shared', 'lock||shared||r'],
    ['MyApp', 'lock||myapp||r'],
    ['', 'lock||||r'],
    ['a|b', 'lock||a|b||r'],
  ])('with keyPrefix %j is %s, as in daprd', (keyPrefix, key) => {
    expect(keyOf(keyPrefix)).toBe(key);
  });

  it('leaves an empty app id out', () => {
    expect(keyOf('appid', 'r', '')).toBe('lock||r');
  });

  it.each(['a|', '|a', 'a|b', 'ünïcode', ' '])('takes the resource %j as it is', (resource) => {
    expect(keyOf('none', resource)).toBe(`lock||${resource}`);
  });

  it.each(['a||b', '||', 'a|||b'])('refuses the resource %j', (resource) => {
    expect(() => keyOf('none', resource)).toThrow(new LockKeyError(resource));
  });

  it('refuses a literal prefix with two pipes in daprd’s words', () => {
    expect(() => keyOf('a||b')).toThrow("input key/keyPrefix 'a||b' can't contain '||'");
  });
});
