import { setTimeout as pause } from 'node:timers/promises';

import { StoreError, type LockStore } from '../../src/lock/lock-store';
import { eventually } from '../support/eventually';
import { type EtcdCluster, type EtcdServer, startEtcd } from '../support/etcd-server';
import { findLeader } from './etcd-admin';
import { noAbort, openEtcd, tryCall, unlockCall } from './etcd-fixture';

/** As etcd is by default. */
const USUAL = ['--heartbeat-interval', '100', '--election-timeout', '1000'];

const CALLERS = 16;

/** How long there is load before a leader is lost and after it, in milliseconds. */
const LOAD_MS = 2500;

/** The observations of a run under load. */
interface Report {
  calls: number;
  acquired: number;
  failed: number;
  unknown: number;
  slowestMs: number;
  longestSilenceMs: number;
  readonly lost: string[];
  readonly falseAnswers: string[];
}

/** Takes locks, renews every second one, and looks at what it holds; never stops to ask. */
class Load {
  readonly report: Report = {
    calls: 0,
    acquired: 0,
    failed: 0,
    unknown: 0,
    slowestMs: 0,
    longestSilenceMs: 0,
    lost: [],
    falseAnswers: [],
  };
  /** The locks that were confirmed, and not released since. */
  readonly held = new Map<string, number>();
  readonly #stores: readonly LockStore[];
  readonly #callers: readonly Promise<void>[];
  #isOver = false;
  #answeredAtMs = performance.now();

  constructor(stores: readonly LockStore[]) {
    this.#stores = stores;
    this.#callers = Array.from({ length: CALLERS }, (_, index) => this.#run(index));
  }

  async finish(): Promise<Report> {
    this.#isOver = true;
    await Promise.all(this.#callers);
    return this.report;
  }

  async #run(caller: number): Promise<void> {
    const store = this.#stores[caller % this.#stores.length]!;
    for (let round = 0; !this.#isOver; round += 1) {
      const key = `lock||loss||${caller}-${round}`;
      const call = tryCall(key, `owner-${caller}`, 120_000);
      const taken = await this.#timed(() => store.tryLock(call, noAbort()));
      if (taken === undefined) {
        await store.withdraw(call).catch(() => undefined);
        continue;
      }
      if (!taken.acquired) this.report.falseAnswers.push(`${key} was refused, and nobody holds it`);
      else {
        this.report.acquired += 1;
        this.held.set(key, taken.grant!.fencingToken);
        await this.#use(store, key, `owner-${caller}`, round);
      }
    }
  }

  /** A third stays held, a third is renewed, a third is released. */
  async #use(store: LockStore, key: string, owner: string, round: number): Promise<void> {
    if (round % 3 === 0) return;
    if (round % 3 === 1) {
      const call = { key, owner, fencingToken: this.held.get(key), ttlMs: 180_000 };
      const renewed = await this.#timed(() => store.leases!.renew(call, noAbort()));
      if (renewed !== undefined && renewed.status !== 'renewed') {
        this.report.falseAnswers.push(`${key} could not be renewed: ${renewed.status}`);
      }
      return;
    }
    const call = unlockCall(key, owner);
    const outcome = await this.#timed(() => store.unlock(call, noAbort()));
    this.held.delete(key);
    if (outcome === undefined) await store.withdraw(call).catch(() => undefined);
    else if (outcome !== 'unlocked')
      this.report.falseAnswers.push(`${key}: unlock says ${outcome}`);
  }

  async #timed<T>(call: () => Promise<T>): Promise<T | undefined> {
    const atMs = performance.now();
    this.report.calls += 1;
    try {
      const answer = await call();
      const nowMs = performance.now();
      this.report.longestSilenceMs = Math.max(
        this.report.longestSilenceMs,
        nowMs - this.#answeredAtMs,
      );
      this.#answeredAtMs = nowMs;
      return answer;
    } catch (error) {
      this.report.failed += 1;
      if (!(error instanceof StoreError)) throw error;
      if (error.outcome === 'unknown') this.report.unknown += 1;
      await pause(20);
      return undefined;
    } finally {
      this.report.slowestMs = Math.max(this.report.slowestMs, performance.now() - atMs);
    }
  }
}

describe('a cluster of three members under load', () => {
  let etcd: EtcdCluster;
  let stores: LockStore[];
  beforeEach(async () => {
    etcd = await startEtcd({ members: 3, args: USUAL });
    // One sidecar that talks to the leader, and two that don't.
    stores = await Promise.all(
      etcd.members.map(({ endpoint }, at) => {
        const others = etcd.members.filter((_, index) => index !== at);
        return openEtcd([endpoint, ...others.map((member) => member.endpoint)].join(','));
      }),
    );
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await etcd.stop();
  });

  /** Loses its leader by some way, and counts the leases that are gone then. */
  const lose = async (way: string, take: (leader: EtcdServer) => Promise<void>) => {
    const load = new Load(stores);
    await pause(LOAD_MS);
    const leader = await findLeader(etcd.members);
    await take(leader!);
    await pause(LOAD_MS);
    const report = await load.finish();
    const looking = await openEtcd(etcd.endpoints);
    for (const [key, token] of load.held) {
      const view = await looking.views!.get(key, noAbort());
      if (view?.fencingToken !== token) report.lost.push(key);
    }
    await looking.close();
    const slowest = Math.round(report.slowestMs);
    const silence = Math.round(report.longestSilenceMs);
    process.stdout.write(
      `leader ${way}: ${report.calls} calls, ${report.acquired} locks taken, ${load.held.size} still held, ${report.lost.length} leases lost, ${report.falseAnswers.length} false answers, ${report.failed} calls failed (${report.unknown} outcomes unknown), slowest answer ${slowest} ms, longest time without answers ${silence} ms\n`,
    );
    expect(load.held.size).toBeGreaterThan(50);
    expect(report.lost).toEqual([]);
    expect(report.falseAnswers).toEqual([]);
    expect(report.slowestMs).toBeLessThan(12_000);
  };

  const untilAnotherLeads = (before: EtcdServer, others: readonly EtcdServer[]) =>
    eventually(
      async () => {
        const now = await findLeader(others);
        if (now === undefined || now === before) throw new Error('no other leader yet');
      },
      { withinMs: 20_000 },
    );
  const othersOf = (leader: EtcdServer) => etcd.members.filter((member) => member !== leader);

  it('loses no lease when its leader is killed', async () => {
    await lose('killed', async (leader) => {
      await leader.kill();
      await untilAnotherLeads(leader, othersOf(leader));
    });
  }, 90_000);

  it('loses no lease when its leader is stopped, and goes on later', async () => {
    await lose('stopped', async (leader) => {
      leader.pause();
      await untilAnotherLeads(leader, othersOf(leader));
      await pause(LOAD_MS);
      leader.resume();
    });
  }, 90_000);

  it('loses no lease when all members are killed and start again', async () => {
    await lose('and all others killed', async () => {
      await Promise.all(etcd.members.map((member) => member.kill()));
      for (const member of etcd.members) etcd.relaunch(member);
      await eventually(
        async () => {
          if ((await findLeader(etcd.members)) === undefined) throw new Error('no leader yet');
        },
        { withinMs: 20_000 },
      );
    });
  }, 90_000);
});
