import { callHttp } from '../../support/http-call';
import type { Attack } from '../attack';
import { openSocket, pour } from '../attack-sockets';

/** Brings about one fault of the stand-in, on a connection that stays open. */
function provoke(fault: string): Attack {
  return {
    name: fault,
    description: `The stand-in does what it must not: ${fault}.`,
    kind: 'floor',
    run: async ({ target }) => {
      const socket = await openSocket(target.httpPort);
      await pour(socket, `GET /${fault} HTTP/1.1\r\nHost: stand-in\r\n\r\n`, 1000);
      // Until it has been answered, or is gone.
      await callHttp(target.httpPort, { method: 'GET', path: '/' }).catch(() => undefined);
      return undefined;
    },
  };
}

/** Attacks on the stand-in; the run loads them as it loads those on sidecars. */
export const ATTACKS: readonly Attack[] = [
  ...[
    'nothing',
    'keep-memory',
    'hold-memory',
    'stall',
    'hoard-descriptors',
    'leave-a-lock',
    'fail-calls',
    'never-stop',
    'die',
  ].map(provoke),
  {
    name: 'impossible',
    description: 'The attack cannot be made.',
    kind: 'floor',
    run: () => Promise.reject(new Error('nobody there')),
  },
  {
    name: 'own-finding',
    description: 'The attack measures something of its own.',
    kind: 'floor',
    run: async () => [{ what: 'apples', value: 3, atMost: 2 }],
  },
];
