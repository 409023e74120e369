import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually } from '../../test/support/eventually';
import { findFreePort } from '../../test/support/free-port';
import type { EtcdTools } from '../bench-tools';
import { runCommand } from '../run-command';
import type { Contender } from './contender';

/** Clients that wait for a lock of etcd are told by a watch: hold times are spread over so many milliseconds only. */
const SPREAD_MS = 10;

const STARTS_WITHIN_MS = 20_000;
const MEASURES_WITHIN_MS = 600_000;
const KILLED_AFTER_MS = 5000;

/** A running etcd. */
export interface Etcd {
  readonly contender: Contender;
  readonly version: string;
  stop(): Promise<void>;
}

/** Starts an etcd with its data in a folder of its own, and waits until it answers. */
export async function startEtcd({ server, handOver }: EtcdTools): Promise<Etcd> {
  const [clients, peers] = [await findFreePort(), await findFreePort()];
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-etcd-'));
  const url = `http://127.0.0.1:${clients}`;
  const peerUrl = `http://127.0.0.1:${peers}`;
  const args = [
    ...['--data-dir', folder, '--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `default=${peerUrl}`, '--log-level', 'error'],
  ];
  const child = spawn(server, args, { stdio: 'ignore' });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const stop = async () => {
    process.off('exit', end);
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILLED_AFTER_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const version = await eventually(() => readVersion(url), { withinMs: STARTS_WITHIN_MS });
    const contender = toContender({ url, handOver, pid: child.pid ?? 0 });
    return { contender, version, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function toContender(etcd: {
  readonly url: string;
  readonly handOver: string;
  readonly pid: number;
}): Contender {
  let locks = 0;
  return {
    name: 'etcd',
    waitsBy: 'a watch on the one before',
    pids: [etcd.pid],
    async measure({ waiters, handOvers }) {
      locks += 1;
      const numbers = [waiters, handOvers, SPREAD_MS].map(String);
      const args = [etcd.url, `hand-over-${locks}`, ...numbers];
      const said = await runCommand(etcd.handOver, args, { withinMs: MEASURES_WITHIN_MS });
      return JSON.parse(said) as number[];
    },
  };
}

async function readVersion(url: string): Promise<string> {
  const health = (await (await fetch(`${url}/health`)).json()) as { health: string };
  if (health.health !== 'true') throw new Error(`etcd is not healthy: ${JSON.stringify(health)}`);
  const answer = (await (await fetch(`${url}/version`)).json()) as { etcdserver: string };
  return answer.etcdserver;
}
