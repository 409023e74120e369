import { createUrlRewriter } from '../../src/http/routable-url';

describe('a rewritten URL', () => {
  const toRoutableUrl = createUrlRewriter([
    '/v1.0/healthz/outbound',
    '/v1.0-alpha1/lock/{store}',
    '/holdfast/{store}/acquire/{id}',
  ]);

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

  it('has each parameter where its route has it', () => {
    expect(toRoutableUrl('/holdfast/a+%62/acquire/%63%2f')).toBe('/holdfast/a%20b/acquire/c%2F');
    expect(toRoutableUrl('/holdfast/a+%62/ac%71uire/c')).toBe('/holdfast/a+%2562/ac%2571uire/c');
  });

  it('matches no route by an escaped segment where the route has no parameter', () => {
    expect(toRoutableUrl('/v1.0/healthz/out%62ound')).toBe('/v1.0/healthz/out%2562ound');
  });

  it.each(['/a%zz', '/v1.0-alpha1/lock/%', '/v1.0-alpha1/lock/a%2'])(
    'marks %s as a bad URL',
    (raw) => {
      expect(toRoutableUrl(raw)).toBe('/%');
    },
  );
});
