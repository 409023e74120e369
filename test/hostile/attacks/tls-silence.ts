import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { openSockets } from '../attack-sockets';

/** Connections to each of the two ports. */
const CONNECTIONS: Readonly<Record<AttackSize, number>> = { small: 60, full: 150 };

/** The sidecar gives a handshake 10 s; node:http looks once a second for those past it. */
const HANDSHAKE_OVER_MS = 12_500;

/** When a stop is not waited for any longer. */
const STOP_WITHIN_MS = 10_000;

/** The stop that the issue saw took the whole grace of 5 s. */
const LONGEST_STOP_MS = 2000;

/** Clients that connect and say nothing, as port scanners and half-dead balancers do. */
export const tlsSilence: Attack = {
  name: 'tls-silence',
  description:
    'Three hundred connections to the TLS ports never begin their handshake, and are half closed when they should be gone.',
  kind: 'TLS',
  needs: { tls: true },
  run: async ({ target, size }) => {
    const sockets = [
      ...(await openSockets(target.httpPort, CONNECTIONS[size])),
      ...(await openSockets(target.grpcPort, CONNECTIONS[size])),
    ];
    await pause(HANDSHAKE_OVER_MS);
    const open = sockets.filter((socket) => !socket.readableEnded && !socket.destroyed).length;
    // From here on the sidecar's end would be in CLOSE-WAIT.
    for (const socket of sockets) socket.end();
    return [{ what: 'connections open after the handshake timeout', value: open, atMost: 0 }];
  },
};

/** The same where the sidecar has to stop before the handshakes time out. */
export const tlsSilenceAtStop: Attack = {
  name: 'tls-silence-at-stop',
  description: 'SIGTERM comes while three hundred TLS connections have not begun their handshake.',
  kind: 'TLS',
  needs: { tls: true },
  endsSidecar: true,
  run: async ({ target, size }) => {
    await openSockets(target.httpPort, CONNECTIONS[size]);
    await openSockets(target.grpcPort, CONNECTIONS[size]);
    const askedAt = performance.now();
    process.kill(target.pid, 'SIGTERM');
    while (existsSync(`/proc/${target.pid}`) && performance.now() - askedAt < STOP_WITHIN_MS) {
      await pause(20);
    }
    const tookMs = Math.round(performance.now() - askedAt);
    return [{ what: 'ms from SIGTERM to the end', value: tookMs, atMost: LONGEST_STOP_MS }];
  },
};
