import { MetadataProperties } from '../../../src/components/metadata-properties';
import { parseRedisSettings } from '../../../src/stores/redis/redis-settings';

const parse = (metadata: Readonly<Record<string, string>>) =>
  parseRedisSettings(new MetadataProperties(Object.entries(metadata)));

describe('a cluster', () => {
  const cluster = { redisHost: 'a:1,b:2', redisType: 'cluster' };

  it('is found by all hosts', () => {
    const settings = parse(cluster);
    expect(settings.isCluster).toBe(true);
    expect(settings.addresses.map(({ port }) => port)).toEqual([1, 2]);
  });

  it('is asked for by this word alone, as in daprd', () => {
    expect(parse({ redisHost: 'r', redisType: 'Cluster' }).isCluster).toBe(false);
  });

  it('has one database and no Sentinels', () => {
    expect(() => parse({ ...cluster, redisDB: '1' })).toThrow('redisDB must be 0');
    const sentinel = { failover: 'true', sentinelMasterName: 'm' };
    expect(() => parse({ ...cluster, ...sentinel })).toThrow('exclude each other');
  });
});

describe('acknowledgeOnDisk', () => {
  const metadata = { redisHost: 'a', redisType: 'cluster', acknowledgeOnDisk: 'true' };
  const complete = { ...metadata, minReplicasToAcknowledge: '1', writeTimeout: '6s' };

  it('is off where it is not given', () => {
    expect(parse(complete).acknowledgeOnDisk).toBe(true);
    expect(parse({ redisHost: 'a' }).acknowledgeOnDisk).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no word', { ...complete, acknowledgeOnDisk: 'perhaps' }, 'acknowledgeOnDisk'],
    ['nothing without replicas', metadata, 'needs minReplicasToAcknowledge of at least 1'],
    [
      'nothing within 5 s',
      { ...complete, writeTimeout: '5s' },
      'needs writeTimeout of at least 6s',
    ],
  ])('is %s', (_name, given, message) => {
    expect(() => parse(given)).toThrow(message);
  });
});

describe('minReplicasToAcknowledge', () => {
  it('is a number of replicas, and 0 where it is not given', () => {
    const cluster = { redisHost: 'a', redisType: 'cluster' };
    expect(parse(cluster).minReplicasToAcknowledge).toBe(0);
    const metadata = { ...cluster, minReplicasToAcknowledge: '2' };
    expect(parse(metadata).minReplicasToAcknowledge).toBe(2);
  });

  it.each(['-1', '101', 'one'])('is not %s', (value) => {
    const metadata = { redisHost: 'a', redisType: 'cluster', minReplicasToAcknowledge: value };
    expect(() => parse(metadata)).toThrow('minReplicasToAcknowledge');
  });

  it('needs servers that have replicas', () => {
    expect(() => parse({ redisHost: 'r', minReplicasToAcknowledge: '1' })).toThrow(
      'minReplicasToAcknowledge needs failover or redisType cluster',
    );
  });
});
