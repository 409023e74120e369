import { MetadataProperties } from '../../src/components/metadata-properties';
import { redisDriver } from '../../src/stores/redis/redis-driver';
import { RecordingLogger } from '../support/recording-logger';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { describeLeases } from './leases';
import { describeLockStore } from './lock-store';
import { describeQueue } from './queue';
import { describeViews } from './views';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

const createStore = () =>
  redisDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties([['redisHost', `127.0.0.1:${redis.port}`]]),
    logger: new RecordingLogger(),
  });

describeLockStore('lock.redis', createStore);
describeLeases('lock.redis', createStore);
describeQueue('lock.redis', createStore);
describeViews('lock.redis', createStore);
