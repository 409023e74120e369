import { rm } from 'node:fs/promises';

import { writeComponent } from '../../support/component-files';
import { eventually } from '../../support/eventually';
import { callHttp } from '../../support/http-call';
import { SidecarProcess } from '../../support/sidecar-process';
import { type LockServers, startLockServers, type StoreName } from '../lock-servers';
import { FencedStore } from './fenced-store';

/** The lock that the programs are about. */
export const RESOURCE = 'my_file_name';

/** How long a step of the site may take on a busy machine, in milliseconds. */
const WITHIN_MS = 30_000;

const LOCKS = '/holdfast/v1/locks/lockstore';

/** The servers of a program of the native API: those of the locks, two sidecars of one app, and a store to write to. */
export class NativeSite {
  readonly locks: LockServers;
  readonly sidecars: readonly [SidecarProcess, SidecarProcess];
  readonly store: FencedStore;

  private constructor(parts: Pick<NativeSite, 'locks' | 'sidecars' | 'store'>) {
    this.locks = parts.locks;
    this.sidecars = parts.sidecars;
    this.store = parts.store;
  }

  /** Runs something with a site, and gives everything back. */
  static async use<T>(name: StoreName, run: (site: NativeSite) => Promise<T>): Promise<T> {
    const locks = await startLockServers(name);
    const resources = await writeComponent(locks.component);
    const started: SidecarProcess[] = [];
    const start = async () => {
      const sidecar = await SidecarProcess.spawn({ args: ['--resources-path', resources] });
      started.push(sidecar);
      await sidecar.waitForOutput('dapr initialized.');
      return sidecar;
    };
    const store = await FencedStore.start();
    try {
      const sidecars = [await start(), await start()] as const;
      return await run(new NativeSite({ locks, sidecars, store }));
    } finally {
      await Promise.all(started.map((sidecar) => sidecar.stop()));
      await Promise.all([store.stop(), locks.stop()]);
      await rm(resources, { recursive: true, force: true });
    }
  }

  /** Takes the lock by HTTP, for longer than any program runs; gives back what releases it. */
  async takeLock(lockOwner: string): Promise<() => Promise<void>> {
    const answer = await this.#post('acquire', { lockOwner, ttlMs: 600_000 });
    if (answer.acquired !== true) throw new Error(`no lock for ${lockOwner}`);
    return async () => {
      const { status } = await this.#post('release', { lockOwner });
      if (status !== 'RELEASED') throw new Error(`the lock was not released: ${String(status)}`);
    };
  }

  /** Resolves once somebody waits for the lock. */
  async untilSomebodyWaits(): Promise<void> {
    await this.#untilLock('has a waiter', (lock) => lock?.waiters === 1);
  }

  /** Resolves once nobody has the lock. */
  async untilFree(): Promise<void> {
    await this.#untilLock('is free', (lock) => lock === undefined);
  }

  async #untilLock(
    what: string,
    isSo: (lock: Record<string, unknown> | undefined) => boolean,
  ): Promise<void> {
    await eventually(
      async () => {
        const path = `${LOCKS}/lock?resourceId=${RESOURCE}`;
        const { status, body } = await callHttp(this.sidecars[0].httpPort, { method: 'GET', path });
        const lock = status === 404 ? undefined : (JSON.parse(body) as Record<string, unknown>);
        if (!isSo(lock)) throw new Error(`the lock never ${what}, but: ${body}`);
      },
      { withinMs: WITHIN_MS },
    );
  }

  async #post(call: string, fields: object): Promise<Record<string, unknown>> {
    const { body } = await callHttp(this.sidecars[0].httpPort, {
      path: `${LOCKS}/${call}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceId: RESOURCE, ...fields }),
    });
    return JSON.parse(body) as Record<string, unknown>;
  }
}
