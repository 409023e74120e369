import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { MetadataProperties } from '../../../src/components/metadata-properties';
import {
  findUnboundedTimeouts,
  parseRedisSettings,
} from '../../../src/stores/redis/redis-settings';
import { toTlsOptions } from '../../../src/stores/redis/redis-tls';
import { createFolder } from '../../support/component-files';

const TLS_FOLDER = path.join(__dirname, '../../fixtures/tls');
const CERTIFICATE = path.join(TLS_FOLDER, 'server.crt');
const KEY = path.join(TLS_FOLDER, 'server.key');

const parse = (metadata: Readonly<Record<string, string>>) =>
  parseRedisSettings(new MetadataProperties(Object.entries(metadata)));

describe('parseRedisSettings', () => {
  it("has daprd's defaults", () => {
    expect(parse({ redisHost: 'redis' })).toEqual({
      addresses: [{ host: 'redis', port: 6379 }],
      sentinel: undefined,
      username: '',
      password: '',
      database: 0,
      isCluster: false,
      minReplicasToAcknowledge: 0,
      acknowledgeOnDisk: false,
      tls: undefined,
      dialTimeoutMs: 5000,
      readTimeoutMs: 3000,
      writeTimeoutMs: 3000,
      unlockTimeoutMs: 10_000,
      tryLockTimeoutMs: 10_000,
    });
  });

  it('takes every setting by its name in any case', () => {
    const settings = parse({
      REDISHOST: 'redis:1',
      redisusername: 'u',
      RedisPassword: 'p',
      redisdb: '2',
      dialTimeout: '1s',
      readTimeout: '1500',
      writeTimeout: '1m',
      enableTLS: 'true',
      insecureSkipTLSVerify: 'true',
      clientCert: '-----BEGIN C',
      clientKey: '-----BEGIN K',
      caCert: '-----BEGIN A',
      tlsServerName: 'n',
    });
    const { tls, ...others } = settings;
    expect(tls).toMatchObject({ rejectUnauthorized: false, serverName: 'n' });
    expect([tls?.cert?.(), tls?.key?.(), tls?.ca?.()]).toEqual([
      '-----BEGIN C',
      '-----BEGIN K',
      '-----BEGIN A',
    ]);
    expect(others).toEqual({
      addresses: [{ host: 'redis', port: 1 }],
      sentinel: undefined,
      username: 'u',
      password: 'p',
      database: 2,
      isCluster: false,
      minReplicasToAcknowledge: 0,
      acknowledgeOnDisk: false,
      dialTimeoutMs: 1000,
      readTimeoutMs: 1500,
      writeTimeoutMs: 60_000,
      unlockTimeoutMs: 1500,
      tryLockTimeoutMs: 60_000,
    });
  });

  it('waits for a TryLock as long as for an Unlock where only readTimeout is given', () => {
    expect(parse({ redisHost: 'r', readTimeout: '7s' }).writeTimeoutMs).toBe(7000);
  });

  it('verifies certificates and sends none unless told otherwise', () => {
    expect(parse({ redisHost: 'r', enableTLS: 'true', clientCert: '-----BEGIN C' }).tls).toEqual({
      authorities: expect.anything() as unknown,
      rejectUnauthorized: true,
    });
  });

  describe('redisHost', () => {
    it.each([
      ['h:1', undefined, 'h', 1],
      ['h', '7', 'h', 7],
      ['h:7', '7', 'h', 7],
      [' h:1 , i:2', undefined, 'h', 1],
      ['::1', undefined, '::1', 6379],
      ['[::1]:2', undefined, '::1', 2],
      ['[::1]', undefined, '::1', 6379],
      ['h:', undefined, 'h', 6379],
    ])('%j with redisPort %j is %s port %i', (redisHost, redisPort, host, port) => {
      const metadata = redisPort === undefined ? { redisHost } : { redisHost, redisPort };
      expect(parse(metadata).addresses[0]).toEqual({ host, port });
    });

    it.each([{}, { redisHost: '' }, { redisHost: ' , h' }])('is missing in %j', (metadata) => {
      expect(() => parse(metadata)).toThrow('metadata property redisHost is empty');
    });

    it('may not contradict redisPort', () => {
      expect(() => parse({ redisHost: 'h:1', redisPort: '2' })).toThrow(
        'redis host "h:1" already contains port 1, but redisPort is set to 2; either remove the port from redisHost or remove the redisPort setting',
      );
    });

    it.each(['h:x', 'h:0', 'h:70000'])('%s has no valid port', (redisHost) => {
      expect(() => parse({ redisHost })).toThrow(
        `redis host "${redisHost}" has no valid port (allowed: 1 to 65535)`,
      );
    });
  });

  describe('values that do not parse', () => {
    it('are all reported together, in order', () => {
      expect(() =>
        parse({ redisDB: 'x', enableTLS: 'yes', readTimeout: '1d', concurrency: 'many' }),
      ).toThrow(
        /^redis client configuration error: decode failed\. 4 error\(s\) decoding:\n\n\* error decoding 'concurrency': .*\n\* error decoding 'enableTLS': invalid bool "yes"\n\* error decoding 'readTimeout': .*\n\* error decoding 'redisDB': .*"x"/,
      );
    });

    it.each([
      ['concurrency', '-1', 'invalid uint "-1"'],
      ['concurrency', '+1', 'invalid uint "+1"'],
      ['concurrency', '', 'invalid uint ""'],
      ['queueDepth', '18446744073709551616', 'invalid uint'],
      ['maxLenApprox', '9223372036854775808', 'invalid int'],
      ['maxLenApprox', '1.5', 'invalid int "1.5"'],
      ['ttlInSeconds', 'x', 'invalid int "x"'],
      ['poolSize', '1e3', 'invalid int "1e3"'],
      ['processingTimeout', 'x', 'invalid duration "x"'],
      ['streamTTL', '1d', 'invalid duration "1d"'],
      ['idleTimeout', '3000000h', 'invalid duration "3000000h"'],
    ])('%s: %j, which has no effect on a lock', (name, value, problem) => {
      expect(() => parse({ redisHost: 'r', [name]: value })).toThrow(
        `error decoding '${name}': ${problem}`,
      );
    });
  });

  describe('values that have no effect', () => {
    it.each([
      ['redeliverInterval', 'x'],
      ['concurrency', '18446744073709551615'],
      ['queueDepth', '0'],
      ['maxLenApprox', '-9223372036854775808'],
      ['ttlInSeconds', '-1'],
      ['poolSize', '+5'],
      ['processingTimeout', '-1'],
      ['streamTTL', '1h2.5m'],
      ['idleTimeout', '-1'],
      ['consumerID', ''],
    ])('may be %s: %j, as in daprd', (name, value) => {
      expect(() => parse({ redisHost: 'r', [name]: value })).not.toThrow();
    });
  });

  describe('time-outs that no timer can measure', () => {
    const longest = 2 ** 31 - 1;
    it.each([
      ['900us', 1],
      ['1ns', 1],
      ['0.4ms', 1],
      ['1500us', 1.5],
      ['1000h', longest],
      ['2562047h', longest],
      ['9999999999999', longest],
    ])('%s is %s ms', (value, ms) => {
      const timeouts = { dialTimeout: value, readTimeout: value, writeTimeout: value };
      expect(parse({ redisHost: 'r', ...timeouts })).toMatchObject({
        dialTimeoutMs: ms,
        readTimeoutMs: ms,
        writeTimeoutMs: ms,
        unlockTimeoutMs: ms,
        tryLockTimeoutMs: ms,
      });
    });
  });

  describe("go-redis's values for its defaults and for none", () => {
    const defaults = parse({ redisHost: 'r' });

    it.each(['0', '0s', '-0'])('%s is the default of a time-out', (value) => {
      const metadata = { dialTimeout: value, readTimeout: value, writeTimeout: value };
      expect(parse({ redisHost: 'r', ...metadata })).toEqual(defaults);
      expect(findUnboundedTimeouts(new MetadataProperties(Object.entries(metadata)))).toEqual([]);
    });

    it.each(['-1', '-2', '-5s'])('%s is none, which is a minute here and said', (value) => {
      const properties = { dialTimeout: value, readTimeout: value, writeTimeout: value };
      expect(parse({ redisHost: 'r', ...properties })).toMatchObject({
        dialTimeoutMs: 60_000,
        readTimeoutMs: 60_000,
        writeTimeoutMs: 60_000,
        unlockTimeoutMs: 60_000,
        tryLockTimeoutMs: 60_000,
      });
      expect(findUnboundedTimeouts(new MetadataProperties(Object.entries(properties)))).toEqual([
        'dialTimeout',
        'readTimeout',
        'writeTimeout',
      ]);
    });

    it('hands none on from readTimeout to a writeTimeout that is left to its default', () => {
      expect(parse({ redisHost: 'r', readTimeout: '-1', writeTimeout: '0' })).toMatchObject({
        writeTimeoutMs: 60_000,
        tryLockTimeoutMs: 60_000,
      });
    });

    it.each([
      { redisHost: 'r', redisPort: '0' },
      { redisHost: 'r:6379', redisPort: '0' },
    ])('leave the port to its default in %j', (metadata) => {
      expect(parse(metadata).addresses).toEqual([{ host: 'r', port: 6379 }]);
    });

    it('take a database below 0 for 0', () => {
      expect(parse({ redisHost: 'r', redisDB: '-1' }).database).toBe(0);
    });

    it.each(['-1', '-2', '0', '10000000000'])(
      'are taken where they have no effect: %s',
      (value) => {
        const names = ['redisMaxRetries', 'redisMinRetryInterval', 'redisMaxRetryInterval'];
        const pool = ['poolSize', 'minIdleConns', 'poolTimeout', 'maxConnAge', 'idleTimeout'];
        const all = [...names, ...pool, 'idleCheckFrequency', 'maxLenApprox', 'ttlInSeconds'];
        const metadata = Object.fromEntries(all.map((name) => [name, value]));
        expect(parse({ redisHost: 'r', ...metadata })).toEqual(defaults);
      },
    );
  });

  describe('what is not served', () => {
    it.each(['useEntraID', 'useOIDC'])('refuses %s, and says what is there instead', (name) => {
      expect(() => parse({ redisHost: 'r', [name]: 'true' })).toThrow(
        `${name}: signing in to Redis by Microsoft Entra ID or OIDC is not supported; remove it, or set it to false and give redisUsername and redisPassword`,
      );
    });

    it('takes them where they are off', () => {
      const settings = parse({ redisHost: 'r', useOIDC: 'false', redisType: 'node' });
      expect(settings.addresses[0].host).toBe('r');
    });
  });

  describe('failover', () => {
    it('takes every host for a Sentinel', () => {
      const settings = parse({
        redisHost: 'a:1, b ,',
        redisPort: '1',
        failover: 'true',
        sentinelMasterName: 'm',
        sentinelUsername: 'u',
        sentinelPassword: 'p',
      });
      expect(settings.addresses).toEqual([
        { host: 'a', port: 1 },
        { host: 'b', port: 1 },
      ]);
      expect(settings.sentinel).toEqual({
        masterName: 'm',
        shownMasterName: 'm',
        username: 'u',
        password: 'p',
      });
    });

    it("shows the master's name unless that is hidden", () => {
      const metadata = { redisHost: 'r', failover: 'true', sentinelMasterName: 'redis' };
      const properties = new MetadataProperties(Object.entries(metadata), ['sentinelmastername']);
      expect(parseRedisSettings(properties).sentinel).toMatchObject({
        masterName: 'redis',
        shownMasterName: '<secret>',
      });
    });

    it("needs the master's name", () => {
      expect(() => parse({ redisHost: 'r', failover: 'true' })).toThrow(
        'failover needs sentinelMasterName',
      );
    });
  });

  describe('a certificate', () => {
    it.each([
      ['clientCert', 'a key, not a certificate', { clientCert: KEY, clientKey: CERTIFICATE }],
      [
        'clientKey',
        'a certificate, not a private key',
        { clientCert: CERTIFICATE, clientKey: CERTIFICATE },
      ],
      ['caCert', 'a key, not a certificate', { caCert: KEY }],
    ])('%s with the wrong kind of PEM is refused: %s', (name, kinds, files) => {
      expect(() => parse({ redisHost: 'r', enableTLS: 'true', ...files })).toThrow(
        `${name} contains ${kinds}`,
      );
    });

    it('a key of another certificate is refused in words that name both', () => {
      const clientKey = path.join(TLS_FOLDER, 'renewed.key');
      const files = { clientCert: CERTIFICATE, clientKey };
      const { tls } = parse({ redisHost: 'r', enableTLS: 'true', ...files });
      expect(() => toTlsOptions(tls!)).toThrow(/^clientCert, clientKey can't be used: .*mismatch/);
    });

    it.each(['caCert', 'clientCert', 'clientKey'])(
      '%s that is a pipe is not waited for',
      async (name) => {
        const pipe = path.join(await createFolder(), 'pipe');
        execFileSync('mkfifo', [pipe]);
        const pair = { clientCert: '-----BEGIN A', clientKey: '-----BEGIN B', [name]: pipe };
        expect(() => parse({ redisHost: 'r', enableTLS: 'true', ...pair })).toThrow(
          `${name} is neither PEM (-----BEGIN …) nor a file that can be read: it is a pipe, not a regular file`,
        );
      },
    );

    it.each(['caCert', 'clientCert', 'clientKey'])(
      'in %s that is neither PEM nor a file is refused, and not quoted',
      (name) => {
        const parsed = () => parse({ redisHost: 'r', enableTLS: 'true', [name]: 'MIIsecret' });
        expect(parsed).toThrow(`${name} is neither PEM (-----BEGIN …) nor a file`);
        expect(parsed).not.toThrow('MIIsecret');
      },
    );

    it('is read again from its file for every connection', async () => {
      const file = path.join(await createFolder(), 'ca.pem');
      await writeFile(file, '-----BEGIN one');
      const { tls } = parse({ redisHost: 'r', enableTLS: 'true', caCert: file });
      await writeFile(file, '-----BEGIN two');
      expect(tls?.ca?.()).toBe('-----BEGIN two');
    });
  });
});

describe('a value that is hidden', () => {
  const failure = (metadata: Readonly<Record<string, string>>, ...hidden: readonly string[]) => {
    try {
      parseRedisSettings(new MetadataProperties(Object.entries(metadata), hidden));
      return '';
    } catch (error) {
      return String(error);
    }
  };

  it('is not quoted where it is no value of its property', () => {
    const message = failure({ redisHost: 'h', redisDB: 'x', redisPort: 'y' }, 'redisdb');
    expect(message).toContain('invalid int "<secret>"');
    expect(message).toContain('invalid int "y"');
  });

  it.each([
    [
      ['redisHost'],
      'redis host "<secret>" already contains port <secret>, but redisPort is set to 2',
    ],
    [['redisPort'], 'redis host "h:1" already contains port 1, but redisPort is set to <secret>'],
  ])('is not quoted where two do not fit together: %j', (hidden, message) => {
    expect(failure({ redisHost: 'h:1', redisPort: '2' }, ...hidden)).toContain(message);
  });
});
