import { getEventListeners } from 'node:events';

import { untilAborted } from '../../../src/stores/redis/deadline';

describe('untilAborted', () => {
  const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort');

  it('ends with the work, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    await untilAborted(signal, Promise.resolve());
    expect(listenersOf(signal)).toEqual([]);
  });

  it('fails with the work, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(signal, Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(listenersOf(signal)).toEqual([]);
  });

  it('ends when the signal aborts', async () => {
    const grace = new AbortController();
    const ended = untilAborted(grace.signal, new Promise(() => undefined));
    grace.abort();
    await expect(ended).resolves.toBeUndefined();
  });

  it('ends at once where the signal has aborted before', async () => {
    const ended = untilAborted(AbortSignal.abort(), new Promise(() => undefined));
    await expect(ended).resolves.toBeUndefined();
  });
});
