import { toRoutableUrl } from '../../src/http/routable-url';

describe('toRoutableUrl', () => {
  it.each([
    ['/v1.0-alpha1/lock/s', '/v1.0-alpha1/lock/s'],
    ['/v1.0-alpha1/lock/s/', '/v1.0-alpha1/lock/s'],
    ['//v1.0-alpha1//lock///s//', '/v1.0-alpha1/lock/s'],
    ['/v1.0-alpha1/x/../lock/./s', '/v1.0-alpha1/lock/s'],
    ['/../../v1.0/healthz', '/v1.0/healthz'],
    ['http://host:1/v1.0/healthz?x', '/v1.0/healthz?x'],
    ['/v1.0/healthz?appid=a/../b', '/v1.0/healthz?appid=a/../b'],
    ['/v1.0/healthz?a?b', '/v1.0/healthz?a?b'],
    ['*', '/*'],
    ['', '/'],
  ])('cleans %j to %j', (raw, clean) => {
    expect(toRoutableUrl(raw)).toBe(clean);
  });

  it.each([
    ['a+b', 'a b'],
    ['a%2Bb', 'a+b'],
    ['a%2Fb', 'a/b'],
    ['a%252Fb', 'a%2Fb'],
    ['%e9%8e%96', '鎖'],
    ['%ff', '\ufffd'],
    ['a<b>&c', 'a<b>&c'],
    ['a;b#c', 'a;b#c'],
  ])('makes the parameter %s decode to %j, once', (raw, decoded) => {
    const segment = toRoutableUrl(`/v1.0-alpha1/lock/${raw}`).split('/')[3];
    expect(decodeURIComponent(segment!)).toBe(decoded);
  });

  it.each(['/v1.0-alpha1/%6Cock/s', '/%76/x', '/v1.0-alpha1/lock%2Fs'])(
    'keeps the escaped %s from matching a route',
    (raw) => {
      expect(toRoutableUrl(raw)).toBe(raw.replace('%', '%25'));
    },
  );

  it.each(['/a%zz', '/v1.0-alpha1/lock/%', '/v1.0-alpha1/lock/a%2'])(
    'marks %s as a bad URL',
    (raw) => {
      expect(toRoutableUrl(raw)).toBe('/%');
    },
  );
});
