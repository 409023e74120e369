import { MetadataProperties } from '../../src/components/metadata-properties';
import { redisDriver } from '../../src/stores/redis/redis-driver';
import { RecordingLogger } from '../support/recording-logger';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { describeLockStore } from './lock-store';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

describeLockStore('lock.redis', () =>
  redisDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties([['redisHost', `127.0.0.1:${redis.port}`]]),
    logger: new RecordingLogger(),
  }),
);
