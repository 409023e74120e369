// Run by heap.test.ts in a process of its own: what becomes of garbage that has grown old.
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { keepHeapSmall } from '../../src/runtime/heap';

const MB = 2 ** 20;
/** A ring of lists: each is old by the time that it gives way to the next one. */
const RING = 16 * MB;
const GARBAGE = 256 * MB;
const LIST = 8 * 1024;
/** Lists between two looks at the heap: 1 MB. */
const LOOK_EVERY = 128;

/** More than the growth of buffers after which the collector is looked for. */
const BUFFER = 32 * MB;

/** Puts lists into a ring until so much has been garbage; gives the most that was kept meanwhile. */
function churn(ring: number[][]): number {
  let most = 0;
  for (let at = 0; at < GARBAGE / LIST; at += 1) {
    ring[at % (RING / LIST)] = new Array<number>(LIST / 8).fill(at);
    if (at % LOOK_EVERY === 0) most = Math.max(most, getHeapStatistics().used_heap_size);
  }
  return most;
}

void (async () => {
  if (process.argv.includes('--small')) keepHeapSmall({ leavesLittle: true });
  const ring: number[][] = [];
  churn(ring);
  const buffer = Buffer.alloc(BUFFER);
  await pause(1500);
  const most = churn(ring);
  const gc = runInNewContext('typeof gc') as unknown;
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  const youngBytes = young?.space_size;
  process.stdout.write(JSON.stringify({ most, gc, youngBytes, held: buffer.length }));
})();
