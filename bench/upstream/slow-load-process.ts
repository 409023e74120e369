import { setTimeout as pause } from 'node:timers/promises';

import { Caller } from './caller';

/** The order to the process: how many calls to begin in a second. 0 for none. */
export interface LoadOrder {
  readonly callsASecond: number;
}

/** The answer to an order: how many calls have been answered since the last one. */
export interface LoadReport {
  readonly answered: number;
}

/** A call that the upstream answers after a second, so that as many are open as begin in a second. */
const SLOW = 'slow-1000';

const [port] = process.argv.slice(2).map(Number);
let callsASecond = 0;
let answered = 0;

/** Begins calls at an even rate, whether or not earlier ones are answered. */
async function run(): Promise<void> {
  const caller = await Caller.open(port ?? 0);
  for (;;) {
    if (callsASecond > 0) {
      void caller.getState(SLOW).then((status) => {
        if (status === '0') answered += 1;
      });
    }
    await pause(callsASecond > 0 ? 1000 / callsASecond : 10);
  }
}

process.on('message', (order: LoadOrder) => {
  ({ callsASecond } = order);
  const report: LoadReport = { answered };
  process.send?.(report);
  answered = 0;
});
process.on('disconnect', () => {
  process.exit();
});
void run();
