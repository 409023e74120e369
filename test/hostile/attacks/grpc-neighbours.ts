import { setTimeout as pause } from 'node:timers/promises';

import { TcpProxy } from '../../support/tcp-proxy';
import type { Attack, AttackNeeds, AttackSize } from '../attack';
import { forgetLocks, openSession } from '../attack-calls';
import { GrpcLockCaller } from '../grpc-lock-caller';

let proxy: TcpProxy | undefined;

/** `lockstore` on the real Redis, by a way that can be made slow. */
async function slowable({ redisPort }: { readonly redisPort: number }): Promise<AttackNeeds> {
  proxy = await TcpProxy.start(redisPort);
  return { lockstore: { redisHost: `127.0.0.1:${proxy.port}` } };
}

/** Each way; a lock call takes twice as long. */
const SLOW_MS = 400;

/** The time that the impatient wait. */
const DEADLINE_MS = 300;

/** Impatient calls in one go, and how often: 400 a second. */
const IMPATIENT = { calls: 40, everyMs: 100 } as const;

const ROUNDS: Readonly<Record<AttackSize, number>> = { small: 25, full: 200 };

/** Begins calls that nobody will wait for, in rounds. */
async function callImpatiently(caller: GrpcLockCaller, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (let call = 0; call < IMPATIENT.calls; call += 1) {
      caller.call('lock', `impatient-${round}-${call}`, DEADLINE_MS).catch(() => undefined);
    }
    await pause(IMPATIENT.everyMs);
  }
}

/** Deadlines that pass are everyday life where Redis is slow; who waits longer shares the connection. */
export const grpcShortDeadlines: Attack = {
  name: 'grpc-short-deadlines',
  description:
    'Redis is slow, and 400 calls a second with deadlines of 300 ms share a connection with calls that can wait.',
  kind: 'punished for others',
  needs: { token: true },
  prepare: slowable,
  run: async ({ target, size }) => {
    const store = 'lockstore';
    const patient = new GrpcLockCaller({ ...target, store });
    proxy!.delayMs = SLOW_MS;
    const calling = callImpatiently(patient, ROUNDS[size]);
    const waited: Promise<boolean>[] = [];
    for (let round = 0; round < ROUNDS[size]; round += 1) {
      const call = patient.call('lock', `patient-${round}`);
      waited.push(
        call.then(
          () => true,
          () => false,
        ),
      );
      await pause(IMPATIENT.everyMs);
    }
    await calling;
    const failed = (await Promise.all(waited)).filter((succeeded) => !succeeded).length;
    // The last withdrawals are on their way to Redis and back; the proxy ends with this process.
    await pause(3 * SLOW_MS);
    proxy!.delayMs = 0;
    await forgetLocks(
      target.redisPort,
      waited.map((_, round) => `patient-${round}`),
    );
    return [{ what: `of ${waited.length} calls that could wait failed`, value: failed, atMost: 0 }];
  },
};

/** Each way: what calls under way at a time are worth shows where each takes its time. */
const DISTANT_MS = 25;

/** The number of calls that a busy client has in flight. */
const UNDER_WAY = 64;

const IDLE_CONNECTIONS = 130;

/** How long calls are counted. */
const COUNT_MS: Readonly<Record<AttackSize, number>> = { small: 1500, full: 5000 };

/** Locks and unlocks without a pause, and counts the calls. */
async function countCalls(caller: GrpcLockCaller, forMs: number): Promise<number> {
  const endsAt = performance.now() + forMs;
  let calls = 0;
  const work = async (name: string): Promise<void> => {
    while (performance.now() < endsAt) {
      await caller.call('lock', name);
      await caller.call('unlock', name);
      calls += 2;
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, (_, index) => work(`busy-${index}`)));
  return calls;
}

/** Connections that only stand there take nothing, and so must not be given anything. */
export const grpcIdleConnections: Attack = {
  name: 'grpc-idle-connections',
  description: '130 gRPC connections without a call stand beside one with 64 calls under way.',
  kind: 'punished for others',
  needs: { token: true },
  prepare: slowable,
  run: async ({ target, size }) => {
    const caller = new GrpcLockCaller({ ...target, store: 'lockstore' });
    proxy!.delayMs = DISTANT_MS;
    const alone = await countCalls(caller, COUNT_MS[size]);
    for (let opened = 0; opened < IDLE_CONNECTIONS; opened += 1) await openSession(target.grpcPort);
    await pause(500);
    const beside = await countCalls(caller, COUNT_MS[size]);
    proxy!.delayMs = 0;
    const aSecond = (calls: number) => Math.round((1000 * calls) / COUNT_MS[size]);
    return [
      { what: 'calls a second alone', value: aSecond(alone) },
      { what: 'calls a second beside them', value: aSecond(beside) },
      { what: '% of those alone', value: Math.round((100 * beside) / alone), atLeast: 60 },
    ];
  },
};
