import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually } from './eventually';
import { findFreePort } from './free-port';

/** The least lease is one and a half election timeouts, rounded up: a second. */
const QUICK = ['--heartbeat-interval', '20', '--election-timeout', '200'];

/** Nothing that a test needs is worth waiting for a disk. */
const NO_FSYNC = ['--unsafe-no-fsync'];

/** A member of an etcd cluster of the tests. */
export class EtcdServer {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  readonly folder: string;
  readonly #args: readonly string[];
  readonly #scheme: 'http' | 'https';
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: {
    readonly name: string;
    readonly port: number;
    readonly peerPort: number;
    readonly folder: string;
    readonly args: readonly string[];
    readonly scheme?: 'http' | 'https';
  }) {
    this.name = options.name;
    this.port = options.port;
    this.peerPort = options.peerPort;
    this.folder = options.folder;
    this.#args = options.args;
    this.#scheme = options.scheme ?? 'http';
  }

  /** The address for `endpoints`. */
  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  get peerUrl(): string {
    return `http://127.0.0.1:${this.peerPort}`;
  }

  /** Starts the process, which need not answer before others have been started. */
  launch(cluster: readonly EtcdServer[]): void {
    const binary = process.env.HOLDFAST_ETCD ?? 'etcd';
    const clientUrl = `${this.#scheme}://${this.endpoint}`;
    const members = cluster.map((member) => `${member.name}=${member.peerUrl}`);
    const fixed = [
      ...['--name', this.name, '--data-dir', path.join(this.folder, 'data')],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', this.peerUrl, '--initial-advertise-peer-urls', this.peerUrl],
      ...[
        '--initial-cluster',
        members.join(','),
        '--initial-cluster-token',
        cluster[0]?.folder ?? '',
      ],
    ];
    // Settings of an etcd that the machine runs are not for this one.
    const env = Object.entries(process.env).filter(([key]) => !key.startsWith('ETCD_'));
    const child = spawn(binary, [...fixed, ...QUICK, ...NO_FSYNC, ...this.#args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: Object.fromEntries(env),
    });
    this.#child = child;
    this.#output = '';
    child.stderr.on('data', (data: Buffer) => {
      this.#output = (this.#output + data.toString()).slice(-4000);
    });
    child.on('error', (error) => {
      this.#output = `can't start ${binary}; npm test installs it or says how: ${error.message}`;
    });
  }

  /** Throws if the process has ended. */
  assertRunning(): void {
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) return;
    throw new Error(`etcd ended: ${this.#output}`);
  }

  /** Ends the process at once, as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Stops the process from running; its connections stay open and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}

/** A cluster of one or more members, each on ports of its own. */
export class EtcdCluster {
  readonly members: readonly EtcdServer[];

  constructor(members: readonly EtcdServer[]) {
    this.members = members;
  }

  /** The value of the metadata property `endpoints`. */
  get endpoints(): string {
    return this.members.map(({ endpoint }) => endpoint).join(',');
  }

  /** Starts a member that was killed. */
  relaunch(member: EtcdServer): void {
    member.launch(this.members);
  }

  /** Ends all processes and removes their folders. */
  async stop(): Promise<void> {
    await Promise.all(
      this.members.map(async (member) => {
        await member.kill();
        await rm(member.folder, { recursive: true, force: true });
      }),
    );
  }
}

/**
 * Starts a cluster of etcd and waits until each member says that it is healthy, which takes a
 * leader.
 */
export async function startEtcd(
  options: {
    readonly members?: number;
    readonly args?: readonly string[];
    readonly isReady?: (member: EtcdServer) => Promise<boolean>;
    readonly scheme?: 'http' | 'https';
  } = {},
): Promise<EtcdCluster> {
  const { members: count = 1, args = [], isReady = isHealthy, scheme = 'http' } = options;
  const members: EtcdServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-etcd-'));
    const [port, peerPort] = [await findFreePort(), await findFreePort()];
    members.push(new EtcdServer({ name: `m${index}`, port, peerPort, folder, args, scheme }));
  }
  const cluster = new EtcdCluster(members);
  for (const member of members) member.launch(members);
  try {
    for (const member of members) {
      await eventually(
        async () => {
          member.assertRunning();
          if (!(await isReady(member))) throw new Error(`${member.name} is not healthy`);
        },
        { withinMs: 15_000 },
      );
    }
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

async function isHealthy({ endpoint }: EtcdServer): Promise<boolean> {
  const response = await fetch(`http://${endpoint}/health`);
  return response.ok;
}
