import { MetadataProperties } from '../../src/components/metadata-properties';
import { postgresqlDriver } from '../../src/stores/postgresql/postgresql-driver';
import { type PostgresqlServer, startPostgresqlServer } from '../support/postgresql-server';
import { RecordingLogger } from '../support/recording-logger';
import { describeLeases } from './leases';
import { describeLockStore } from './lock-store';
import { describeQueue } from './queue';
import { describeViews } from './views';

let postgresql: PostgresqlServer;
beforeAll(async () => {
  postgresql = await startPostgresqlServer();
});
afterAll(() => postgresql.stop());

const createStore = () =>
  postgresqlDriver.create({
    componentName: 'lockstore',
    properties: new MetadataProperties([['connectionString', postgresql.connectionString]]),
    logger: new RecordingLogger(),
  });

describeLockStore('lock.postgresql', createStore);
describeLeases('lock.postgresql', createStore);
describeQueue('lock.postgresql', createStore);
describeViews('lock.postgresql', createStore);
