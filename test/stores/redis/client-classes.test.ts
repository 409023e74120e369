import { createClient } from 'redis';

import { SystemAuthorities } from '../../../src/trust/system-authorities';
import { toClient, toConnectOptions } from '../../../src/stores/redis/redis-link';
import { parseRedisSettings } from '../../../src/stores/redis/redis-settings';
import { MetadataProperties } from '../../../src/components/metadata-properties';

/** The class that node-redis made for a client. To make another takes the processor for 10 ms and more. */
const classOf = (client: object): unknown => client.constructor;

const settingsOf = (more: Readonly<Record<string, string>> = {}) =>
  parseRedisSettings(
    new MetadataProperties(Object.entries({ redisHost: 'localhost:6379', ...more })),
    new SystemAuthorities({}),
  );

describe('the clients of all connections', () => {
  const [one, other] = [
    { host: '127.0.0.1', port: 1 },
    { host: 'localhost', port: 2 },
  ];

  it('have one class, whatever the address', () => {
    const settings = settingsOf();
    expect(classOf(toClient(settings, one))).toBe(classOf(toClient(settings, other)));
  });

  it('have one class with TLS, too', () => {
    const settings = settingsOf({ enableTLS: 'true' });
    expect(classOf(toClient(settings, one))).toBe(classOf(toClient(settings, other)));
  });

  it('have the class of those to Sentinels', () => {
    const settings = settingsOf();
    const sentinel = createClient(toConnectOptions(other, settings.tls));
    expect(classOf(toClient(settings, one))).toBe(classOf(sentinel));
    expect(classOf(toClient(settings, other))).toBe(classOf(sentinel));
  });
});
