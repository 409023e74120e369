import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '../support/eventually';
import { callHttp } from '../support/http-call';
import { SidecarProcess } from '../support/sidecar-process';
import { TcpProxy } from '../support/tcp-proxy';
import { type Departure, LOOK_MS } from './departures';
import { Holder, type Transport } from './holder';

/** The measurements of one departure over one transport. */
export interface Measured {
  readonly departure: Departure;
  readonly transport: Transport;
  /** From the departure to the answer of the next waiter. */
  readonly tookMs: number;
  /** The same from the end of the client's connection, where that had to be brought about. */
  readonly afterEndMs: number | undefined;
  readonly boundMs: number;
  /** A broken promise. Undefined if there is none. */
  readonly problem: string | undefined;
}

/** The parts that all departures of a run share. */
export interface RunSite {
  readonly ttlMs: number;
  /** The folder of the component. */
  readonly resources: string;
  /** The sidecar of the clients that leave, for departures that leave it alone. */
  readonly sidecar: SidecarProcess;
  /** The sidecar of the clients that wait. */
  readonly other: SidecarProcess;
}

/** A busy machine may be late by so much, in milliseconds. */
const ALLOWANCE_MS = 2000;

/** For how many leases a holder is watched whose lock is not promised to be free at any time. */
const WATCHED_LEASES = 4;

/** How long a waiter waits, in milliseconds: longer than anything that is measured. */
const WAIT_MS = 120_000;

const LOCKS = '/holdfast/v1/locks/lockstore';

/** Lets one holder leave, and measures when the next waiter has its lock. */
export async function runDeparture(
  departure: Departure,
  transport: Transport,
  site: RunSite,
): Promise<Measured> {
  const ownSidecar =
    departure.endsSidecarOf === undefined
      ? undefined
      : await SidecarProcess.start({ args: ['--resources-path', site.resources] });
  const sidecar = departure.endsSidecarOf === 'holder' ? ownSidecar! : site.sidecar;
  const proxy = await TcpProxy.start(transport === 'gRPC' ? sidecar.grpcPort : sidecar.httpPort);
  const resourceId = `${departure.name} ${transport}`;
  const { ttlMs } = site;
  const holder = await Holder.start({ transport, port: proxy.port, resourceId, ttlMs });
  try {
    return await measure({ departure, transport, site, resourceId, holder, proxy, ownSidecar });
  } finally {
    await holder.kill();
    await proxy.stop();
    await ownSidecar?.stop('SIGKILL');
  }
}

interface Scene {
  readonly departure: Departure;
  readonly transport: Transport;
  readonly site: RunSite;
  readonly resourceId: string;
  readonly holder: Holder;
  readonly proxy: TcpProxy;
  readonly ownSidecar: SidecarProcess | undefined;
}

async function measure(scene: Scene): Promise<Measured> {
  const { departure, transport, site, holder } = scene;
  const before = departure.endsSidecarOf === 'first waiter' ? 1 : 0;
  if (before === 1) {
    // It ends with its sidecar, without the lock.
    acquire(scene, scene.ownSidecar!).catch(() => undefined);
    await untilWaiters(scene, 1);
  }
  const granted = acquire(scene, site.other).then(() => performance.now());
  granted.catch(() => undefined);
  await untilWaiters(scene, before + 1);
  const leftAtMs = performance.now();
  await departure.leave(scene);
  const boundMs = departure.boundMs(site.ttlMs);
  // Without a bound its connection is ended at last: that has to release the lock.
  const endedAtMs = Number.isFinite(boundMs)
    ? undefined
    : await endAfter(scene, { granted, watchedMs: WATCHED_LEASES * site.ttlMs });
  const limitMs = (endedAtMs === undefined ? boundMs : LOOK_MS) + ALLOWANCE_MS;
  const sinceMs = endedAtMs ?? leftAtMs;
  const grantedAtMs = await within(granted, sinceMs + limitMs - performance.now());
  return {
    ...{ departure, transport, boundMs },
    tookMs: Math.round((grantedAtMs ?? NaN) - leftAtMs),
    afterEndMs: endedAtMs && Math.round((grantedAtMs ?? NaN) - endedAtMs),
    problem: problemOf({ departure, holder, grantedAtMs, endedAtMs }),
  };
}

/** Ends a client that nobody else ends, unless the next waiter has the lock by then; says when. */
async function endAfter(
  { holder, proxy }: Scene,
  { granted, watchedMs }: { granted: Promise<number>; watchedMs: number },
): Promise<number | undefined> {
  if ((await within(granted, watchedMs)) !== undefined) return undefined;
  const endedAtMs = performance.now();
  await holder.kill();
  proxy.cut();
  return endedAtMs;
}

function problemOf(seen: {
  readonly departure: Departure;
  readonly holder: Holder;
  readonly grantedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}): string | undefined {
  const { departure, holder, grantedAtMs, endedAtMs } = seen;
  if (grantedAtMs === undefined) return 'the next waiter did not get the lock in time';
  const earlyMs = Math.round(holder.believesUntilMs - performance.timeOrigin - grantedAtMs);
  if (!departure.keepsLease || endedAtMs !== undefined || earlyMs <= 0) return undefined;
  return `the next waiter got the lock ${earlyMs} ms before the end that the client was told`;
}

async function acquire({ resourceId }: Scene, sidecar: SidecarProcess): Promise<void> {
  const { status, body } = await callHttp(sidecar.httpPort, {
    path: `${LOCKS}/acquire`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceId, ttlMs: 1000, waitMs: WAIT_MS }),
  });
  if (status !== 200 || !body.startsWith('{"acquired":true')) throw new Error(body);
}

async function untilWaiters({ site, resourceId }: Scene, count: number): Promise<void> {
  const path = `${LOCKS}/lock?resourceId=${encodeURIComponent(resourceId)}`;
  await eventually(
    async () => {
      const { body } = await callHttp(site.other.httpPort, { method: 'GET', path });
      if (!body.includes(`"waiters":${count}`)) throw new Error(`not ${count} waiters: ${body}`);
    },
    { withinMs: 10_000 },
  );
}

/** Undefined where it takes longer. */
function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  return Promise.race([promise, pause(Math.min(ms, WAIT_MS), undefined, { ref: false })]);
}
