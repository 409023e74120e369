import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { loadDaprService } from '../../../src/grpc/proto-files';
import { eventually } from '../../support/eventually';
import type { Attack } from '../attack';
import { openSocket } from '../attack-sockets';
import { AnsweredStreams, body, callHeaders, message, preface, reset, ping } from '../http2-frames';

const { TryLockAlpha1: tryLock, UnlockAlpha1: unlock } = loadDaprService();

const CALLS_AT_A_TIME = 20;
const ROUNDS = { small: 60, full: 240 } as const;

/** The longest time from a call to its cancel: answers come within it. */
const CANCEL_WITHIN_MS = 6;

/** How long the last answers may take. */
const PATIENCE = { withinMs: 10_000 };

/** Not to use up what one connection may cancel: 250 calls, and then it takes no more. */
const ROUNDS_A_CONNECTION = 10;

/** A cancel that crosses its answer must not leave a lock for an hour. */
export const grpcCancels: Attack = {
  name: 'grpc-cancels',
  description: '4,800 lock calls of an hour, each cancelled at about the moment of its answer.',
  kind: 'left locks',
  needs: { token: true },
  run: async ({ target, size }) => {
    const token = { 'dapr-api-token': target.token ?? '' };
    const request = { storeName: 'lockstore', lockOwner: 'o', expiryInSeconds: 3600 };
    let [unanswered, answered] = [0, 0];
    for (let round = 0; round < ROUNDS[size]; round += ROUNDS_A_CONNECTION) {
      const socket = await openSocket(target.grpcPort);
      const answers = new AnsweredStreams(socket);
      socket.write(preface());
      const call = (stream: number, method: NonNullable<typeof tryLock>, resourceId: string) =>
        Buffer.concat([
          callHeaders(stream, method.path, token),
          body(stream, message(method.requestSerialize({ ...request, resourceId })), true),
        ]);
      const resources = new Map<number, string>();
      for (let turn = 0; turn < ROUNDS_A_CONNECTION; turn += 1) {
        const streams = Array.from(
          { length: CALLS_AT_A_TIME },
          (_, index) => 1 + 2 * (turn * CALLS_AT_A_TIME + index),
        );
        for (const stream of streams) resources.set(stream, `r-${round}-${stream}`);
        socket.write(
          Buffer.concat(streams.map((stream) => call(stream, tryLock!, resources.get(stream)!))),
        );
        const endsAt = performance.now() + Math.random() * CANCEL_WITHIN_MS;
        while (performance.now() < endsAt) await pause(0);
        socket.write(Buffer.concat(streams.map((stream) => reset(stream))));
        await pause(5);
      }
      socket.write(ping());
      await eventually(() => {
        assert.equal(answers.pings, 1);
      }, PATIENCE);
      // What was answered was granted, heard or not: it is given back.
      const granted = [...resources.keys()].filter((stream) => answers.ids.has(stream));
      answered += granted.length;
      unanswered += resources.size - granted.length;
      const next = 2 * ROUNDS_A_CONNECTION * CALLS_AT_A_TIME + 1;
      const unlocks = granted.map((stream, index) => ({ stream, id: next + 2 * index }));
      socket.write(
        Buffer.concat(unlocks.map(({ stream, id }) => call(id, unlock!, resources.get(stream)!))),
      );
      await eventually(() => {
        assert.ok(unlocks.every(({ id }) => answers.ids.has(id)));
      }, PATIENCE);
      socket.destroy();
    }
    return [
      { what: 'calls that were answered', value: answered, atLeast: 1 },
      { what: 'calls that were not', value: unanswered, atLeast: 1 },
    ];
  },
};
