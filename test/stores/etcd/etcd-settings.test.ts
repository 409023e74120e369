import { MetadataProperties } from '../../../src/components/metadata-properties';
import { findUnknownProperties } from '../../../src/stores/etcd/etcd-properties';
import { parseEtcdSettings } from '../../../src/stores/etcd/etcd-settings';

const parse = (metadata: Readonly<Record<string, string>>, hidden: readonly string[] = []) =>
  parseEtcdSettings(new MetadataProperties(Object.entries(metadata), hidden));

describe('the settings of lock.etcd', () => {
  it('have defaults', () => {
    expect(parse({ endpoints: 'etcd' })).toEqual({
      endpoints: ['etcd:2379'],
      keyPrefixPath: '',
      username: '',
      password: '',
      tls: undefined,
      dialTimeoutMs: 5000,
      requestTimeoutMs: 3000,
      callTimeoutMs: 10_000,
    });
  });

  it.each([
    ['a:1,b:2', ['a:1', 'b:2']],
    [' a , b:65535 ', ['a:2379', 'b:65535']],
    ['http://a:1/,http://b', ['a:1', 'b:2379']],
    ['[::1]:2379,[fe80::1]', ['[::1]:2379', '[fe80::1]:2379']],
    ['127.0.0.1:23790', ['127.0.0.1:23790']],
  ])('take the endpoints %j', (endpoints, expected) => {
    expect(parse({ endpoints }).endpoints).toEqual(expected);
  });

  it.each([
    'a:0',
    'a:65536',
    'a:b',
    '::1',
    'a b',
    'ftp://a',
    'a,',
    ',',
    'a/b',
    'unix:///x',
    'a:1:2',
  ])('refuse the endpoints %j', (endpoints) => {
    expect(() => parse({ endpoints })).toThrow('invalid endpoint');
  });

  it.each([
    ['https://a', 'false', 'set it to true'],
    ['http://a', 'true', 'set it to false'],
  ])('refuse %s with tlsEnable %s', (endpoints, tlsEnable, message) => {
    expect(() => parse({ endpoints, tlsEnable })).toThrow(message);
  });

  it.each([
    ['500ms', 500],
    ['2', 2],
    ['1m', 60_000],
    ['600000', 600_000],
  ])('take the timeout %s', (text, expected) => {
    const settings = parse({ endpoints: 'a', requestTimeout: text, dialTimeout: text });
    expect(settings).toMatchObject({ requestTimeoutMs: expected, dialTimeoutMs: expected });
    expect(settings.callTimeoutMs).toBe(Math.max(10_000, expected));
  });

  it.each(['0', '-1s', '11m', '5', 'x', '1.5'].filter((text) => text !== '5'))(
    'refuse the timeout %s',
    (text) => {
      expect(() => parse({ endpoints: 'a', requestTimeout: text })).toThrow('requestTimeout: ');
    },
  );

  it('report everything that is wrong at once', () => {
    const wrong = { tlsEnable: 'yes', dialTimeout: 'x', password: 'p' };
    expect(() => parse(wrong)).toThrow(
      /tlsEnable: .*dialTimeout: .*endpoints: missing .*username: missing/,
    );
  });

  it('need user and password together', () => {
    expect(() => parse({ endpoints: 'a', username: 'u' })).toThrow('password: missing');
    expect(() => parse({ endpoints: 'a', password: 'p' })).toThrow('username: missing');
  });

  it.each([
    [{ ca: '/nowhere' }, 'ca is neither PEM (-----BEGIN …) nor a file that can be read'],
    [{ ca: '-----BEGIN PRIVATE KEY-----' }, 'ca contains a key, not a certificate'],
    [{ cert: '-----BEGIN CERTIFICATE-----' }, 'key: missing'],
    [{ key: '-----BEGIN PRIVATE KEY-----' }, 'cert: missing'],
    [
      { key: '-----BEGIN CERTIFICATE-----', cert: '-----BEGIN CERTIFICATE-----' },
      'key contains a certificate, not a private key',
    ],
  ])('refuse %j', (tls, message) => {
    const metadata = { endpoints: 'a', tlsEnable: 'true', ...tls };
    expect(() => parse(metadata as Record<string, string>)).toThrow(message);
  });

  it('show no secret', () => {
    const metadata = { endpoints: 'top secret' };
    expect(() => parse(metadata, ['endpoints'])).not.toThrow('top secret');
  });

  it('name the property that was probably meant', () => {
    expect(findUnknownProperties(['endpoint', 'USERNAME', 'zzzzzz'])).toEqual([
      { name: 'endpoint', nearest: 'endpoints' },
      { name: 'zzzzzz', nearest: undefined },
    ]);
  });
});
