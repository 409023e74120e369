import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { findFreePort } from '../test/support/free-port';
import { ANSWERS, type Transport } from './lock-requests';
import type { NodeBinary } from './node-binary';
import { callOnce } from './one-call';
import { ServerProcess } from './server-process';
import type { Target } from './target';

/** Where locks are kept: in the sidecar, or in the Redis on a port. */
export type StorePlace =
  { readonly store: 'memory' } | { readonly store: 'redis'; readonly redisPort: number };

/** How our sidecar is started, or what of it holds for a floor too. */
export interface OursOptions {
  readonly name: string;
  readonly node: NodeBinary;
  readonly place: StorePlace;
  /** Where its component file is put. */
  readonly folder: string;
  readonly nodeFlags?: readonly string[];
  /** Further arguments of the sidecar. */
  readonly args?: readonly string[];
  /** What is run; dist/main.js where this is left out. */
  readonly file?: string;
}

/** A server that the benchmark has started, and has to stop. */
export interface StartedTarget extends Target {
  readonly process: ServerProcess;
  /** From the spawn to the first answer over each transport that it serves, in milliseconds. */
  readonly startedInMs: Readonly<Partial<Record<Transport, number>>>;
}

/** The servers that are measured beside ours. */
export type FloorKind = 'grpc-echo' | 'fastify-echo' | 'node-http';

const STORE_NAME = 'lockstore';

/** Starts our sidecar and waits for the first lock over each transport. */
export async function startOurs(options: OursOptions): Promise<StartedTarget> {
  const { name, node, place, nodeFlags = [], file = 'dist/main.js' } = options;
  const components = await writeComponent(options.folder, place);
  const [http, grpc, metrics] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const ports = ['--dapr-http-port', http, '--dapr-grpc-port', grpc, '--metrics-port', metrics];
  const app = ['--app-id', 'myapp', '--resources-path', components];
  const args = [...app, ...ports.map(String), ...(options.args ?? [])];
  const process = new ServerProcess({ node: node.path, nodeFlags, file, args });
  const firstLock = (transport: Transport, port: number) =>
    process.untilAnswered(port, async () => {
      // A resource of its own each: the first transport's lock would be the second one's refusal.
      const resourceId = `first-${transport}-${process.pid}-${port}`;
      const request = { storeName: STORE_NAME, resourceId };
      const answer = await callOnce({ transport, port }, 'lock', request);
      return answer.equals(ANSWERS[transport].lock);
    });
  const [httpMs, grpcMs] = await orStop(
    process,
    Promise.all([firstLock('http', http), firstLock('grpc', grpc)]),
  );
  return {
    name,
    role: 'ours',
    answers: 'locks',
    ports: { http, grpc },
    storeName: STORE_NAME,
    pid: process.pid,
    process,
    startedInMs: { http: httpMs, grpc: grpcMs },
  };
}

/** Starts one of the floors and waits for its first answer. */
export async function startFloor(
  kind: FloorKind,
  { name, node, nodeFlags = [] }: Pick<OursOptions, 'name' | 'node' | 'nodeFlags'>,
): Promise<StartedTarget> {
  const transport = kind === 'grpc-echo' ? 'grpc' : 'http';
  const port = await findFreePort();
  const file = `bench/floors/${kind}.js`;
  const process = new ServerProcess({ node: node.path, nodeFlags, file, args: [String(port)] });
  const request = { storeName: STORE_NAME, resourceId: 'first' };
  const startedInMs = await orStop(
    process,
    process.untilAnswered(port, async () => {
      return (await callOnce({ transport, port }, 'lock', request)).length > 0;
    }),
  );
  return {
    name,
    role: 'floor',
    answers: 'echoes',
    ports: { [transport]: port },
    storeName: STORE_NAME,
    pid: process.pid,
    process,
    startedInMs: { [transport]: startedInMs },
  };
}

async function orStop<T>(process: ServerProcess, started: Promise<T>): Promise<T> {
  try {
    return await started;
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/** A folder with the one component: `redisHost` as in Dapr's how-to, or the embedded store. */
async function writeComponent(folder: string, place: StorePlace): Promise<string> {
  const port = place.store === 'redis' ? place.redisPort : 0;
  const components = path.join(folder, `components-${place.store}-${port}`);
  const metadata = `\n  metadata:\n    - name: redisHost\n      value: 127.0.0.1:${port}`;
  const [type, rest] = place.store === 'redis' ? ['lock.redis', metadata] : ['lock.in-memory', ''];
  await mkdir(components, { recursive: true });
  await writeFile(
    path.join(components, 'lockstore.yaml'),
    `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${STORE_NAME}
spec:
  type: ${type}
  version: v1${rest}
`,
  );
  return components;
}
