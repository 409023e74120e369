import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { forgetLocks, tokenHeader } from '../attack-calls';
import { openSocket } from '../attack-sockets';

const CALLS_AT_A_TIME = 20;
const ROUNDS: Readonly<Record<AttackSize, number>> = { small: 30, full: 240 };

/** The longest time from a call to the hang-up: answers come within it. */
const HANG_UP_WITHIN_MS = 4;

/** A client that hangs up when the answer comes must not leave a lock for an hour. */
export const httpCancels: Attack = {
  name: 'http-cancels',
  description:
    '4,800 lock calls of an hour, whose clients close their side at about the moment of the answer.',
  kind: 'left locks',
  needs: { token: true },
  run: async ({ target, size }) => {
    const headers = Object.entries(tokenHeader(target.token)).map(
      (pair) => `${pair.join(': ')}\r\n`,
    );
    const granted: string[] = [];
    let unanswered = 0;
    const call = async (resourceId: string): Promise<void> => {
      const body = JSON.stringify({ resourceId, lockOwner: 'o', expiryInSeconds: 3600 });
      const socket = await openSocket(target.httpPort);
      let answer = '';
      socket.on('data', (part: Buffer) => (answer += part.toString()));
      const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
      socket.write(
        `POST /v1.0-alpha1/lock/lockstore HTTP/1.1\r\nHost: sidecar\r\n${headers.join('')}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      const endsAt = performance.now() + Math.random() * HANG_UP_WITHIN_MS;
      while (performance.now() < endsAt) await pause(0);
      socket.end();
      await ended;
      // What it has read by the end is all that was sent.
      if (answer.includes('"success":true')) granted.push(resourceId);
      else unanswered += 1;
      socket.destroy();
    };
    for (let round = 0; round < ROUNDS[size]; round += 1) {
      await Promise.all(
        Array.from({ length: CALLS_AT_A_TIME }, (_, index) => call(`h-${round}-${index}`)),
      );
    }
    await forgetLocks(target.redisPort, granted);
    return [
      { what: 'calls that were answered', value: granted.length, atLeast: 1 },
      { what: 'calls that were not', value: unanswered, atLeast: 1 },
    ];
  },
};
