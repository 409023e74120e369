import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { countReceived, openSockets, pour } from '../attack-sockets';

const HEALTH = 'GET /v1.0/healthz HTTP/1.1\r\nHost: sidecar\r\n\r\n';
const BODY = '{"resourceId":"pipelined","lockOwner":"nobody"}';
/** Refused for its token, or for its missing expiry: no lock is left. */
const LOCK = `POST /v1.0-alpha1/lock/lockstore HTTP/1.1\r\nHost: sidecar\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** Requests on each connection. */
const REQUESTS: Readonly<Record<AttackSize, number>> = { small: 4000, full: 20_000 };

const CONNECTIONS = 5;

/** Longer than the stall that is looked for: what is answered later is answered all the same. */
const READ_FOR_MS = 4000;

/** A client that sends all its requests at once, of the kind that costs least to send. */
export const httpPipelined: Attack = {
  name: 'http-pipelined',
  description: 'Five connections pipeline 20,000 health checks and as many lock calls each.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.httpPort, CONNECTIONS);
    const requests = (HEALTH + LOCK).repeat(REQUESTS[size]);
    const pouring = sockets.map((socket) => pour(socket, requests, READ_FOR_MS));
    await Promise.all([...pouring, pause(READ_FOR_MS)]);
    return [{ what: 'bytes of answers read', value: countReceived(sockets), atLeast: 1000 }];
  },
};

/** How long connections are opened for. */
const CHURN_MS = 4000;

/** How many are open at a time. */
const AT_A_TIME = 30;

/** A client in a loop without a pause that has the wrong token. */
export const httpReconnecting: Attack = {
  name: 'http-reconnecting',
  description: 'Thirty clients connect, call with a wrong token, and reset the connection.',
  kind: 'stall',
  run: async ({ target }) => {
    const request = LOCK.replace('Host', 'dapr-api-token: wrong\r\nHost');
    const endsAt = performance.now() + CHURN_MS;
    let connections = 0;
    const loop = async (): Promise<void> => {
      while (performance.now() < endsAt) {
        const [socket] = await openSockets(target.httpPort, 1);
        await pour(socket!, request.repeat(10), CHURN_MS);
        socket!.resetAndDestroy();
        connections += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, loop));
    return [{ what: 'connections made', value: connections, atLeast: AT_A_TIME }];
  },
};
