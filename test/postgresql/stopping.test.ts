import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { eventually } from '../support/eventually';
import { Scene } from './scene';
import { callOn, createStore, forever, isHeld } from './store-fixture';

const scene = new Scene();

/** Asks the server to stop. It waits for its sessions, and takes no new ones. */
async function beginToStop(): Promise<void> {
  const file = path.join(scene.server.folder, 'postmaster.pid');
  process.kill(Number((await readFile(file, 'utf8')).split('\n')[0]), 'SIGTERM');
}

describe('a server that stops, waiting for its sessions', () => {
  it('says so to those who come, serves those who are there, and loses no lock', async () => {
    const { store } = await scene.open();
    const call = callOn();
    await store.tryLock(call, forever());
    await beginToStop();
    const late = createStore(scene.server.connectionString);
    scene.after(() => late.store.close());
    await eventually(async () => {
      await expect(late.store.init(AbortSignal.timeout(300))).rejects.toThrow(
        'PostgreSQL is starting or stopping: the database system is shutting down',
      );
    });
    await expect(isHeld(store, call.key)).resolves.toBe(true);
    await scene.server.kill();
    await scene.server.start();
    await eventually(() => late.store.init(forever()));
    await expect(isHeld(late.store, call.key)).resolves.toBe(true);
    await eventually(() => store.ping(forever()));
  });
});

describe('a server that ends the sessions as it stops', () => {
  it('leaves a call without a false answer, and the store is back by itself', async () => {
    const { store, logger } = await scene.open();
    const calls = Array.from({ length: 100 }, () => callOn());
    const taking = Promise.allSettled(calls.map((call) => store.tryLock(call, forever())));
    // SIGINT: a fast stop, by which each session gets 57P01.
    await scene.server.kill('SIGINT');
    await scene.server.start();
    const answers = await taking;
    await eventually(() => store.ping(forever()));
    for (const [index, answer] of answers.entries()) {
      const isThere = await isHeld(store, calls[index]!.key);
      if (answer.status === 'fulfilled') expect(isThere).toBe(true);
      else if ((answer.reason as { outcome: string }).outcome === 'not-applied') {
        expect(isThere).toBe(false);
      }
    }
    // With the reason of the last session that ended, or of one that could not be opened.
    expect(logger.messages('warn').join()).toMatch(
      /Connection to PostgreSQL lost: (?:terminating connection due to administrator|the database)/,
    );
  });
});
