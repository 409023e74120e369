import { StoreFactory } from '../../src/app/store-factory';
import { MetadataProperties } from '../../src/components/metadata-properties';
import { createRedaction } from '../../src/components/redaction';
import { silentStoreObserver } from '../../src/lock/store-observer';
import { SystemAuthorities } from '../../src/trust/system-authorities';
import { manifestOf } from '../support/component-manifest';
import { RecordingLogger } from '../support/recording-logger';

describe('the log of calls to a store', () => {
  let logger: RecordingLogger;
  let factory: StoreFactory;
  beforeEach(() => {
    logger = new RecordingLogger();
    factory = new StoreFactory({
      authorities: new SystemAuthorities({}),
      observerOf: () => silentStoreObserver,
      logger,
    });
  });

  /** A store whose user is a secret. */
  const create = (username: string, more: readonly (readonly [string, string])[] = []) =>
    factory.create(manifestOf(), {
      properties: new MetadataProperties([['redisHost', 'localhost'], ...more]),
      logger,
      redact: createRedaction([{ property: 'redisUsername', value: username, isFromStore: true }]),
    })!;
  const logged = (): string | undefined => {
    factory.loggerOf('lockstore')?.warn('old-user or new-user may not');
    return logger.messages('warn').at(-1);
  };

  it('hides the secrets of the one that is in use where its successor can not be made', () => {
    create('old-user');
    expect(() => create('new-user', [['redisDB', 'x']])).toThrow('redisDB');
    expect(logged()).toBe('<secret> or new-user may not');
  });

  it('hides those of both while one replaces the other, and of those that are left', async () => {
    const before = create('old-user');
    const successor = create('new-user');
    expect(logged()).toBe('<secret> or <secret> may not');
    await successor.close();
    expect(logged()).toBe('<secret> or new-user may not');
    await before.close();
    expect(logged()).toBe('<secret> or new-user may not');
    create('new-user');
    expect(logged()).toBe('old-user or <secret> may not');
  });

  it('is none for a name that no store has had', () => {
    expect(logged()).toBeUndefined();
  });
});
