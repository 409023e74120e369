import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackSize } from '../attack';
import { openSockets, pour } from '../attack-sockets';

/** Just below daprd's limit for a body. */
const BODY = Buffer.alloc((4 << 20) - 100, 'v');

const POUR_WITHIN_MS = 3000;

/** The head of a PUT of a metadata value. */
function putHead(key: string): string {
  const length = `Content-Length: ${BODY.length}`;
  return `PUT /v1.0/metadata/${key} HTTP/1.1\r\nHost: sidecar\r\n${length}\r\n\r\n`;
}

const VALUES: Readonly<Record<AttackSize, number>> = { small: 40, full: 150 };

/** Kept for as long as the sidecar runs, by anybody who reaches the probes' port. */
export const publicMetadataValues: Attack = {
  name: 'public-metadata-values',
  description: '150 metadata values of 4 MiB are put on the public port, and read by 500 requests.',
  kind: 'memory',
  needs: { publicPort: true },
  run: async ({ target, size }) => {
    const [putting, reading] = (await openSockets(target.publicPort, 2)) as [Socket, Socket];
    for (let value = 0; value < VALUES[size]; value += 1) {
      await pour(putting, Buffer.concat([Buffer.from(putHead(`k${value}`)), BODY]), POUR_WITHIN_MS);
    }
    // One that reads nothing, and asks for all of it again and again.
    reading.pause();
    await pour(
      reading,
      'GET /v1.0/metadata HTTP/1.1\r\nHost: sidecar\r\n\r\n'.repeat(500),
      POUR_WITHIN_MS,
    );
    await pause(2000);
    return undefined;
  },
};

const GETS: Readonly<Record<AttackSize, number>> = { small: 5000, full: 20_000 };

/** The answers are longer than the requests, and wait in the sidecar. */
export const publicMetadataUnread: Attack = {
  name: 'public-metadata-unread',
  description:
    'Ten connections pipeline GETs of 19 KB of metadata on the public port and read nothing.',
  kind: 'memory',
  needs: { publicPort: true },
  run: async ({ target, size }) => {
    const [putting, ...reading] = await openSockets(target.publicPort, 11);
    const value = Buffer.alloc(19_000, 'v');
    const head = `PUT /v1.0/metadata/k HTTP/1.1\r\nHost: sidecar\r\nContent-Length: ${value.length}\r\n\r\n`;
    await pour(putting!, Buffer.concat([Buffer.from(head), value]), POUR_WITHIN_MS);
    for (const socket of reading) socket.pause();
    const gets = 'GET /v1.0/metadata HTTP/1.1\r\nHost: sidecar\r\n\r\n'.repeat(GETS[size]);
    await Promise.all(reading.map((socket) => pour(socket, gets, POUR_WITHIN_MS)));
    return undefined;
  },
};

const UNFINISHED: Readonly<Record<AttackSize, number>> = { small: 60, full: 300 };

/** Nobody has to end what was begun. */
export const publicUnfinishedBodies: Attack = {
  name: 'public-unfinished-bodies',
  description: '300 connections to the public port each send nearly 4 MiB of a body and no more.',
  kind: 'memory',
  needs: { publicPort: true },
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.publicPort, UNFINISHED[size]);
    for (const [index, socket] of sockets.entries()) {
      const part = Buffer.concat([Buffer.from(putHead(`k${index}`)), BODY.subarray(1)]);
      await pour(socket, part, POUR_WITHIN_MS);
    }
    return undefined;
  },
};
