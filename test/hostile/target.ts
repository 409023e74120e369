import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createFolder, toComponentYaml } from '../support/component-files';
import { findFreePort } from '../support/free-port';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';
import type { AttackNeeds, AttackTarget } from './attack';
import { PROBE_STORE, type ProbeTarget } from './probe';
import { TLS_CERTIFICATE, TLS_KEY } from './tls-files';

/** Every sidecar under attack asks for it. */
const TOKEN = 'known-to-the-neighbours';

/** When a sidecar that does not stop is killed; its own grace is 5 s. */
const STOP_WITHIN_MS = 15_000;

/** A sidecar as whoever attacks and measures it needs it. */
export interface TargetUnderAttack {
  readonly pid: number;
  /** The data that the attacker gets. */
  readonly forAttack: AttackTarget;
  /** The data that the innocent neighbour gets. */
  readonly forProbe: ProbeTarget;
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  /** Its last complaint, for a row that went wrong. */
  readonly log: () => string;
  /** The attacker's locks that Redis holds. */
  readonly findLocks: () => Promise<readonly string[]>;
  /** Ends it with SIGTERM and says how many milliseconds that took. */
  readonly stop: () => Promise<number>;
  /** Ends whatever is left and removes it. */
  readonly remove: () => Promise<void>;
}

/** Starts a sidecar; what it needs depends on where its Redis is. */
export type StartTarget = (
  findNeeds: (redisPort: number) => Promise<AttackNeeds>,
) => Promise<TargetUnderAttack>;

/** Starts the built sidecar, as it is shipped, with a real Redis. */
export const startTarget: StartTarget = async (findNeeds) => {
  const redis = await startRedisServer();
  try {
    return await startSidecar(redis, await findNeeds(redis.port));
  } catch (error) {
    await redis.stop();
    throw error;
  }
};

async function startSidecar(redis: RedisServer, needs: AttackNeeds): Promise<TargetUnderAttack> {
  const folder = await writeComponents(needs, redis.port);
  const publicPort = needs.publicPort === true ? await findFreePort() : 0;
  const sidecar = await SidecarProcess.start({
    args: toArguments(needs, { folder, publicPort }),
    env: { DAPR_API_TOKEN: TOKEN, ...needs.env },
    ...(needs.openFiles === undefined ? {} : { openFiles: needs.openFiles }),
  });
  if (needs.unreadLog === true) sidecar.child.stdout!.pause();
  const { httpPort, grpcPort, metricsPort } = sidecar;
  const pid = sidecar.child.pid!;
  const ports = { httpPort, grpcPort, metricsPort, publicPort };
  const token = needs.token === true ? TOKEN : undefined;
  return {
    pid,
    forAttack: { pid, ...ports, redisPort: redis.port, token },
    forProbe: { pid, httpPort, grpcPort, token: TOKEN, tls: needs.tls === true },
    exited: sidecar.exited,
    log: () => findComplaints(sidecar.stdout + sidecar.stderr),
    findLocks: () => findLocks(redis),
    stop: () => stop(sidecar),
    async remove() {
      sidecar.child.stdout?.resume();
      await sidecar.stop('SIGKILL');
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeComponents(needs: AttackNeeds, redisPort: number): Promise<string> {
  const folder = await createFolder();
  const real = { redisHost: `127.0.0.1:${redisPort}` };
  const components = [
    { name: 'lockstore', type: 'lock.redis', metadata: { ...real, ...needs.lockstore } },
    { name: PROBE_STORE, type: 'lock.redis', metadata: { ...real, keyPrefix: 'name' } },
    ...(needs.components ?? []),
  ];
  await writeFile(
    path.join(folder, 'components.yaml'),
    components.map((component) => toComponentYaml(component)).join('---\n'),
  );
  return folder;
}

function toArguments(
  needs: AttackNeeds,
  { folder, publicPort }: { readonly folder: string; readonly publicPort: number },
): string[] {
  return [
    ...['--resources-path', folder],
    ...(publicPort === 0 ? [] : ['--dapr-public-port', String(publicPort)]),
    ...(needs.tls === true ? ['--tls-cert-file', TLS_CERTIFICATE, '--tls-key-file', TLS_KEY] : []),
    ...(needs.args ?? []),
  ];
}

/** The locks of `lockstore`: a resource has no `||`, what else has its prefix stands beside a lock. */
async function findLocks(redis: RedisServer): Promise<string[]> {
  const prefix = 'lock||myapp||';
  const keys = await redis.inspect(async (client) => {
    const found: string[] = [];
    for await (const part of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
      found.push(...part);
    }
    return found;
  });
  return keys.filter((key) => !key.slice(prefix.length).includes('||'));
}

/** The process may be gone while its log waits to be read: that counts. */
async function stop(sidecar: SidecarProcess): Promise<number> {
  const askedAt = performance.now();
  const timer = setTimeout(() => sidecar.child.kill('SIGKILL'), STOP_WITHIN_MS);
  const ended = once(sidecar.child, 'exit');
  const stopped = sidecar.stop();
  await ended;
  const tookMs = performance.now() - askedAt;
  clearTimeout(timer);
  sidecar.child.stdout?.resume();
  await stopped;
  return tookMs;
}

/** The last lines above level info, or of no level. */
function findComplaints(output: string): string {
  const lines = output.split('\n').filter((line) => !line.includes('level=info'));
  return lines
    .filter((line) => line.startsWith('time='))
    .slice(-10)
    .join('\n');
}
