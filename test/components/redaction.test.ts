import { createRedaction, type SecretValue } from '../../src/components/redaction';

const secret = (property: string, value: string): SecretValue => ({
  property,
  value,
  isFromStore: true,
});
const variable = (property: string, value: string): SecretValue => ({
  property,
  value,
  isFromStore: false,
});

const REFUSED = 'connect ECONNREFUSED 127.0.0.1:6379';

describe('a redaction', () => {
  it.each([
    [variable('redisDB', '0'), REFUSED],
    [secret('redisDB', '0'), REFUSED],
    [secret('redisPort', '6379'), REFUSED],
    [secret('readTimeout', '1s'), 'no answer in 1s'],
    [secret('enableTLS', 'true'), 'this is true'],
    [variable('redisHost', 'redis'), 'redis client configuration error'],
    [secret('redisHost', 'redis'), 'redis client configuration error'],
    [variable('redisHost', 'localhost'), 'connect ECONNREFUSED localhost:6379'],
    [variable('sentinelMasterName', 'main'), 'the main thing'],
    [secret('keyPrefix', 'none'), 'none of them'],
    [secret('redisUsername', 'init'), 'initialization'],
    [secret('clientKey', '-----BEGIN PRIVATE KEY-----\nis+of/AB=='), 'it is no PEM (-----BEGIN …)'],
  ])('of %j leaves %j as it is', (value, text) => {
    expect(createRedaction([value])(text)).toBe(text);
  });

  it.each([
    [secret('redisPassword', 'abc'), 'no abc here', 'no <secret> here'],
    [variable('redisPassword', 'abc'), 'no ABC, "abc"', 'no <secret>, "<secret>"'],
    [variable('redisUsername', 'redis'), 'user redis may not', 'user <secret> may not'],
    [variable('redisPassword', 'hush-hush'), 'xhush-hushx', 'x<secret>x'],
    [secret('redisPassword', 'k€y\n"x'), 'no "k€y\\n\\"x"', 'no "<secret>"'],
    [secret('redisHost', 'a1:6379,hidden:1'), 'no hidden, no a1', 'no <secret>, no <secret>'],
    [variable('redisHost', 'hidden-host:1'), 'no hidden-host', 'no <secret>'],
    [secret('redisDB', '0123456'), 'no 123456', 'no <secret>'],
  ])('of %j makes of %j %j', (value, text, expected) => {
    expect(createRedaction([value])(text)).toBe(expected);
  });
});
