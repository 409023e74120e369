import { createStore } from './redis-fixture';

describe('the lock.redis driver', () => {
  it('warns about properties that nobody knows, and takes those of daprd silently', () => {
    const { logger } = createStore(6379, {
      redisMaxRetries: '3',
      KEYPREFIX: 'name',
      redisHots: 'x',
    });
    expect(logger.messages('warn')).toEqual([
      'Component lockstore: metadata property redisHots is unknown and ignored; did you mean redisHost?',
    ]);
  });

  it('says of time-outs that are off how long they are here', () => {
    const { logger } = createStore(6379, { readTimeout: '-1', writeTimeout: '0' });
    expect(logger.messages('warn')).toEqual([
      'Component lockstore: a negative readTimeout means no timeout in daprd; Holdfast uses 60 s',
    ]);
  });
});
