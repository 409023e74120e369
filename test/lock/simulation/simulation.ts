import { LockServer } from '../../support/lock-world/lock-server';
import { calmNetwork } from '../../support/lock-world/remote-store';
import { keyOf, SimulatedSidecar } from '../../support/lock-world/sidecar';
import { ManualClock, settlePromises } from '../../support/manual-clock';
import { Chance } from './chance';
import { SimulatedClient } from './client';
import { createNetworks } from './faulty-networks';

const RESOURCES = ['a', 'b', 'c'];
const STORM_MS = 60_000;
const CLIENTS = 120;
/** The longest wait, and what a last answer and a look at the holder may take. */
const CALM_MS = 35_000;
const ANSWER_MS = 520;

/** A lock that a stopped sidecar has left behind, and that nobody may release before its end. */
interface LeftLock {
  readonly key: string;
  readonly token: number;
  readonly endsAtMs: number;
  readonly epoch: number;
}

/** The counts of a run, to show that it was not idle. */
export interface SimulationReport {
  readonly violations: readonly string[];
  readonly granted: number;
  readonly lost: number;
  readonly wakes: number;
}

/**
 * One random schedule of clients and faults over three sidecars and a server, under virtual time, with the promises N1, N4, N5,
 * N7 to N11 looked at after every event.
 */
export class Simulation {
  readonly #chance: Chance;
  readonly #clock = new ManualClock();
  readonly #server = new LockServer(this.#clock);
  readonly #sidecars: SimulatedSidecar[] = [];
  readonly #clients: SimulatedClient[] = [];
  readonly #violations: string[] = [];
  readonly #freeSince = new Map<string, number>();
  readonly #barged = new Map<string, number>();
  #left: LeftLock[] = [];
  #calmSinceMs = 0;
  #sleptAtMs = -Infinity;
  #counts = { granted: 0, lost: 0, wakes: 0 };

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    const observer = {
      ended: () => undefined,
      woken: () => (this.#counts.wakes += 1),
      holdEnded: ({ outcome }: { outcome: string }) => {
        if (outcome === 'lost') this.#counts.lost += 1;
      },
    };
    const random = this.#chance.next;
    while (this.#sidecars.length < 3) {
      const sidecar = new SimulatedSidecar(this.#server, this.#clock, { observer, random });
      sidecar.store.tellsReleases = this.#sidecars.length > 0;
      this.#sidecars.push(sidecar);
    }
  }

  async run(): Promise<SimulationReport> {
    const step = (): void => {
      this.#check();
    };
    this.#planStorm();
    await this.#clock.passGently(STORM_MS, step);
    this.#calmDown();
    await this.#clock.passGently(CALM_MS, step);
    for (const client of this.#clients) client.leave();
    await this.#clock.passGently(5000, step);
    await settlePromises();
    this.#checkEnd();
    return { violations: this.#violations, ...this.#counts };
  }

  #planStorm(): void {
    for (let index = 0; index < CLIENTS; index += 1) {
      this.#clock.after(this.#chance.between(0, STORM_MS), () => {
        this.#addClient(`client${index}`);
      });
    }
    for (let atMs = 0; atMs < STORM_MS; atMs += this.#chance.between(300, 5000)) {
      this.#clock.after(atMs, () => {
        this.#disturb();
      });
    }
    if (this.#chance.is(0.5)) {
      this.#clock.after(this.#chance.between(0, STORM_MS), () => {
        this.#stopOne();
      });
    }
  }

  #addClient(name: string): void {
    const context = {
      clock: this.#clock,
      chance: this.#chance,
      epochOf: (token: number) => this.#server.epochOf(token),
      fail: (what: string) => {
        this.#fail(what);
      },
      told: (client: SimulatedClient) => {
        this.#checkGrant(client);
      },
    };
    this.#clients.push(new SimulatedClient(name, this.#chance.of(this.#sidecars), context));
  }

  #disturb(): void {
    const [chance, sidecar] = [this.#chance, this.#chance.of(this.#sidecars)];
    sidecar.store.network = chance.of(createNetworks(chance));
    if (chance.is(0.5)) sidecar.store.reconnected();
    if (chance.is(0.08)) this.#server.loseData();
    if (chance.is(0.08)) this.#barge(keyOf(chance.of(RESOURCES)));
    if (chance.is(0.06)) this.#sleep(sidecar, chance.between(20, 30_000));
    this.#calmSinceMs = this.#clock.now();
  }

  #barge(key: string): void {
    this.#server.barge(key, this.#chance.between(10, 3000));
    this.#barged.set(key, this.#clock.now());
  }

  #sleep(sidecar: SimulatedSidecar, ms: number): void {
    sidecar.wallAheadMs += ms;
    this.#sleptAtMs = this.#clock.now();
    for (const client of this.#clients) {
      if (client.sidecar === sidecar && client.belief) client.belief.untilMs -= ms;
    }
  }

  #stopOne(): void {
    const sidecar = this.#sidecars[0]!;
    const held = this.#clients.filter(
      (client) =>
        client.sidecar === sidecar && client.kind === 'hold' && client.state === 'holding',
    );
    sidecar.locks.stop();
    const { epoch } = this.#server;
    for (const { request, belief } of held) {
      const lock = this.#server.lockOf(keyOf(request.resourceId));
      if (lock?.token !== belief!.token) continue;
      this.#left.push({ key: keyOf(request.resourceId), epoch, ...lock });
    }
  }

  #calmDown(): void {
    for (const { store } of this.#sidecars) {
      store.network = calmNetwork;
      store.reconnected();
    }
    this.#calmSinceMs = this.#clock.now();
  }

  /** N1, and that a grant is real: as long as the store keeps its data, and nobody takes locks by force. */
  #checkGrant(client: SimulatedClient): void {
    this.#counts.granted += 1;
    const { token, epoch, untilMs } = client.belief!;
    const key = keyOf(client.request.resourceId);
    if (this.#barged.has(key) || epoch !== this.#server.epoch) return;
    const lock = this.#server.lockOf(key);
    if (lock?.token !== token) this.#fail(`${client.name} was granted what it has not`);
    else if (lock.endsAtMs < untilMs) this.#fail(`${client.name} was told too much`);
    for (const other of this.#clients) {
      if (other !== client && this.#holds(other, key, epoch))
        this.#fail(`${client.name} and ${other.name} both hold`);
    }
  }

  /** True where a client believes that it holds the lock. */
  #holds({ isOver, belief, request }: SimulatedClient, key: string, epoch: number): boolean {
    if (isOver || belief?.epoch !== epoch || keyOf(request.resourceId) !== key) return false;
    return belief.untilMs > this.#clock.now();
  }

  #check(): void {
    const nowMs = this.#clock.now();
    for (const { name, kind, state, belief, request, arrivedAtMs } of this.#clients) {
      const isHolding = kind === 'hold' && state === 'holding';
      // A sleep is found within a second, and known to a millisecond or two.
      const lostMs = Math.max((belief?.untilMs ?? 0) + 3, this.#sleptAtMs + 1001);
      if (isHolding && nowMs > lostMs) this.#fail(`${name} was not told that it lost`);
      const answerMs = request.waitMs === 0 ? 1500 : request.waitMs + ANSWER_MS;
      if (state === 'calling' && nowMs > Math.max(arrivedAtMs + answerMs, this.#sleptAtMs + 2000))
        this.#fail(`${name} waits beyond its time`);
    }
    for (const resource of RESOURCES) this.#checkProgress(keyOf(resource), nowMs);
    this.#checkLeft(nowMs);
  }

  /** N7: where nothing disturbs, a free lock that somebody waits for is taken soon. */
  #checkProgress(key: string, nowMs: number): void {
    const isWanted =
      this.#server.lockOf(key) === undefined && this.#server.ticketsOf(key).length > 0;
    if (!isWanted) this.#freeSince.delete(key);
    else if (!this.#freeSince.has(key)) this.#freeSince.set(key, nowMs);
    const sinceMs = Math.max(this.#freeSince.get(key) ?? nowMs, this.#calmSinceMs + 4000);
    const isCalm = this.#sidecars.every(({ store }) => store.network === calmNetwork);
    if (isCalm && nowMs - sinceMs > 1100) this.#fail(`${key} is free, and nobody takes it`);
  }

  /** N10 */
  #checkLeft(nowMs: number): void {
    this.#left = this.#left.filter(({ endsAtMs, epoch, key }) => {
      return nowMs < endsAtMs && epoch === this.#server.epoch && !this.#barged.has(key);
    });
    for (const { key, token } of this.#left) {
      if (this.#server.lockOf(key)?.token !== token) this.#fail(`${key} was released by a stop`);
    }
  }

  /** N8, N9: nothing is left of those who have gone, and the contract of the store was kept. */
  #checkEnd(): void {
    const gone = new Map(this.#clients.map(({ name, state }) => [name, state]));
    for (const key of RESOURCES.map(keyOf)) {
      if (this.#server.ticketsOf(key).length > 0) this.#fail(`a ticket is left for ${key}`);
      const { owner = 'daprd' } = this.#server.lockOf(key) ?? {};
      if (owner !== 'daprd' && gone.get(owner) !== 'left') this.#fail(`${key} is left to ${owner}`);
    }
    for (const { store } of this.#sidecars) {
      if (store.open.size > 0) this.#fail('a ticket was neither granted nor left');
      for (const violation of store.violations) this.#fail(violation);
    }
    if (this.#clock.timers > 0) this.#fail(`${this.#clock.timers} timers are left`);
  }

  #fail(what: string): void {
    if (this.#violations.length < 5)
      this.#violations.push(`at ${this.#clock.now().toFixed(1)}: ${what}`);
  }
}
