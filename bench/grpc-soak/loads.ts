import { setTimeout as pause } from 'node:timers/promises';

import { runH2load } from '../h2load';
import { ANSWERS } from '../lock-requests';
import { holdLock } from '../one-call';
import type { StartedTarget } from '../started-target';
import { inParallel } from '../waiters/in-parallel';
import { NativeClient, type OpenHold } from '../waiters/native-client';

/** The work of a soak until it is over. It returns how much was done, for the report. */
export type Load = (target: StartedTarget, run: LoadRun) => Promise<string>;

/** The parts of a soak that its load needs. */
export interface LoadRun {
  readonly tools: { readonly h2load: string; readonly folder: string };
  readonly streams: number;
  /** The load has reached its height; from now on memory is watched. */
  readonly begin: () => void;
  readonly isOver: () => boolean;
}

const IN_FLIGHT = 100;
/** Calls of one run of h2load, which opens a connection for it: some seconds, and not too long for a busy machine. */
const CALLS_A_RUN = 20_000;
/** After so many all code is compiled, and the heap has found its size. */
const WARM_UP_CALLS = 100_000;
/** Pairs and holds that go on beside the calls of h2load. */
const BESIDE = 10;
/** Their connections come and go, too. */
const TURNS_A_CLIENT = 500;
const LOCK_TTL_MS = 60_000;
const HOT = { storeName: 'lockstore', resourceId: 'hot' };

/** A hold renews after a part of it, so that each stream has a message now and then. */
const HOLD_TTL_MS = 180_000;
/** A client's connection has room for so many holds. */
const HOLDS_A_CLIENT = 500;
const BEGUN_AT_A_TIME = 50;
const LOOK_EVERY_MS = 200;

/**
 * As many calls as the sidecar answers: 100 in flight of h2load, on one connection after another, and beside them locks
 * that are taken and released, and holds that their clients cancel.
 */
export const fullLoad: Load = async ({ ports: { grpc: port = 0 } }, { tools, begin, isOver }) => {
  await holdLock({ transport: 'grpc', port }, HOT);
  const answerBytes = ANSWERS.grpc.refused.length;
  const load = { transport: 'grpc', port, request: HOT, answerBytes } as const;
  let [calls, pairs, holds] = [0, 0, 0];
  const callAll = async () => {
    while (!isOver()) {
      await runH2load(tools, { ...load, inFlight: IN_FLIGHT, calls: CALLS_A_RUN });
      calls += CALLS_A_RUN;
      if (calls >= WARM_UP_CALLS) begin();
    }
  };
  const lockAndHold = async (worker: number) => {
    while (!isOver()) {
      const client = new NativeClient(port);
      for (let turn = 0; turn < TURNS_A_CLIENT && !isOver(); turn += 1) {
        const lock = { resourceId: `pair-${worker}-${pairs}`, lockOwner: 'pair' };
        await client.acquire(lock, { ttlMs: LOCK_TTL_MS, waitMs: 0 });
        await client.release(lock);
        pairs += 1;
        const held = { resourceId: `hold-${worker}-${holds}`, lockOwner: 'holder' };
        const hold = client.hold(held, LOCK_TTL_MS, () => undefined);
        await hold.held;
        hold.end();
        holds += 1;
      }
      client.close();
    }
  };
  await Promise.all([callAll(), ...Array.from({ length: BESIDE }, (_, at) => lockAndHold(at))]);
  return `${calls} calls at ${IN_FLIGHT} in flight, ${pairs} locks taken and released, ${holds} holds cancelled`;
};

/** Streams that are open and carry next to nothing: holds. All must still be held at the end. */
export const idleStreams: Load = async (
  { ports: { grpc: port = 0 } },
  { streams, begin, isOver },
) => {
  const clients: NativeClient[] = [];
  const holds: OpenHold[] = [];
  const seen = { renewals: 0, lost: 0 };
  await inParallel(streams, BEGUN_AT_A_TIME, async (index) => {
    const lock = { resourceId: `idle-${index}`, lockOwner: `holder-${index}` };
    const client = (clients[Math.floor(index / HOLDS_A_CLIENT)] ??= new NativeClient(port));
    const hold = client.hold(lock, HOLD_TTL_MS, ({ renewed: isRenewed, lost, refused }) => {
      if (isRenewed) seen.renewals += 1;
      if (lost ?? refused) seen.lost += 1;
    });
    holds.push(hold);
    await hold.held;
  });
  begin();
  while (!isOver()) await pause(LOOK_EVERY_MS);
  for (const hold of holds) hold.end();
  for (const client of clients) client.close();
  if (seen.lost > 0) throw new Error(`${seen.lost} of ${streams} idle holds were lost`);
  return `${streams} streams on ${clients.length} connections, ${seen.renewals} renewals told`;
};
