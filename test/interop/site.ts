import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { writeComponent } from '../support/component-files';
import { SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process';
import { type LockServers, startLockServers, type StoreName } from './lock-servers';

/** The token of the sidecar that asks for one. */
export const TOKEN = 'sesame';

/** The app of the two instances that contend. */
const APP_ID = 'myapp';

/** How long a sidecar may take to end after it was asked to, in milliseconds. */
const ENDS_WITHIN_MS = 10_000;

/** The sidecars that a client meets. */
export interface Sidecars {
  /** Two instances of one app. */
  readonly instances: readonly [SidecarProcess, SidecarProcess];
  /** An app of another name. */
  readonly otherApp: SidecarProcess;
  /** One that asks for {@link TOKEN}. */
  readonly guarded: SidecarProcess;
}

/** The servers of one client, shared with no other: those of a store, and sidecars of two apps on it. */
export class Site {
  /** Where sockets and the files that instances contend for are. */
  readonly folder: string;
  readonly #servers: LockServers;
  readonly #resources: string;
  readonly #started: SidecarProcess[] = [];

  private constructor(parts: { servers: LockServers; resources: string; folder: string }) {
    this.#servers = parts.servers;
    this.#resources = parts.resources;
    this.folder = parts.folder;
  }

  /** Runs something with a site, and gives everything back. */
  static async use<T>(
    store: StoreName,
    run: (site: Site, sidecars: Sidecars) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-interop-'));
    const servers = await startLockServers(store);
    const resources = await writeComponent(servers.component);
    const site = new Site({ servers, resources, folder });
    try {
      return await run(site, await site.#startAll());
    } finally {
      await site.#stop();
    }
  }

  /** Starts a sidecar again that was stopped, on its ports. */
  async startAgain({ httpPort, grpcPort, metricsPort }: SidecarProcess): Promise<void> {
    await this.#start({ ports: { httpPort, grpcPort, metricsPort } });
  }

  /** Waits for the end of the sidecar that was started last in the place of this one. */
  async endOf({ httpPort }: SidecarProcess): Promise<number | null> {
    const last = this.#started.filter((sidecar) => sidecar.httpPort === httpPort).at(-1);
    const tooLate = pause(ENDS_WITHIN_MS, null, { ref: false });
    return Promise.race([last?.exited ?? null, tooLate]);
  }

  /** Starts a sidecar that listens on unix sockets only; daprd's names of the files. */
  async startOnSockets(): Promise<{ readonly grpc: string; readonly http: string }> {
    await this.#start({ args: ['--unix-domain-socket', this.folder] });
    const socket = (protocol: string) =>
      path.join(this.folder, `dapr-${APP_ID}-${protocol}.socket`);
    return { grpc: socket('grpc'), http: socket('http') };
  }

  /** Ends every lease, as its expiry would. */
  async endLeases(): Promise<void> {
    await this.#servers.endLeases();
  }

  async #startAll(): Promise<Sidecars> {
    const starting = [
      this.#start(),
      this.#start(),
      this.#start({ args: ['--app-id', 'otherapp'] }),
      this.#start({ env: { DAPR_API_TOKEN: TOKEN } }),
    ] as const;
    // Where one fails, the others are known too before all are stopped.
    await Promise.allSettled(starting);
    const [first, second, otherApp, guarded] = await Promise.all(starting);
    return { instances: [first, second], otherApp, guarded };
  }

  async #start({ args = [], ...rest }: SidecarProcessOptions = {}): Promise<SidecarProcess> {
    const all = ['--app-id', APP_ID, '--resources-path', this.#resources, ...args];
    const sidecar = await SidecarProcess.spawn({ args: all, ...rest });
    this.#started.push(sidecar);
    await sidecar.waitForOutput('dapr initialized.');
    return sidecar;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#started.map((sidecar) => sidecar.stop()));
    await this.#servers.stop();
    await rm(this.folder, { recursive: true, force: true });
    await rm(this.#resources, { recursive: true, force: true });
  }
}
