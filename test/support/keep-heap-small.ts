// Run by heap.test.ts in a process of its own, with V8 told to say what it collects.
import { setTimeout as pause } from 'node:timers/promises';

import { keepHeapSmall } from '../../src/heap';

void (async () => {
  keepHeapSmall();
  process.stdout.write('asked for\n');
  await pause(1500);
  process.stdout.write(`gc is ${typeof globalThis.gc} to everybody\n`);
})();
