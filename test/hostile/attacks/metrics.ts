import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { countReceived, openSockets, pour } from '../attack-sockets';

const GET = 'GET /metrics HTTP/1.1\r\nHost: sidecar\r\n\r\n';

/** Requests on each connection. */
const REQUESTS: Readonly<Record<AttackSize, number>> = { small: 3000, full: 20_000 };

/** Longer than the stall that is looked for: what is answered later is answered all the same. */
const READ_FOR_MS = 2500;

/** A scraper gone wild. The metrics port knows no token. */
export const metricsPipelined: Attack = {
  name: 'metrics-pipelined',
  description: 'Five connections pipeline 20,000 GETs of /metrics each and read the answers.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.metricsPort, 5);
    const pouring = sockets.map((socket) => pour(socket, GET.repeat(REQUESTS[size]), READ_FOR_MS));
    await Promise.all([...pouring, pause(READ_FOR_MS)]);
    return [{ what: 'bytes of metrics read', value: countReceived(sockets), atLeast: 1000 }];
  },
};

/** Few requests on each of many connections. */
export const metricsCrowd: Attack = {
  name: 'metrics-crowd',
  description: 'Fifty connections pipeline GETs of /metrics and read the answers.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.metricsPort, 50);
    const requests = GET.repeat(REQUESTS[size] / 10);
    const pouring = sockets.map((socket) => pour(socket, requests, READ_FOR_MS));
    await Promise.all([...pouring, pause(READ_FOR_MS)]);
    return [{ what: 'bytes of metrics read', value: countReceived(sockets), atLeast: 1000 }];
  },
};

/** Answers that nobody takes have to wait somewhere. */
export const metricsUnread: Attack = {
  name: 'metrics-unread',
  description: 'Twenty connections pipeline GETs of /metrics and read nothing.',
  kind: 'memory',
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.metricsPort, 20);
    for (const socket of sockets) socket.pause();
    const requests = GET.repeat(REQUESTS[size] / 4);
    await Promise.all(sockets.map((socket) => pour(socket, requests, READ_FOR_MS)));
    return undefined;
  },
};
