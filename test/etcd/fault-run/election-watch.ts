import type { FaultWindow } from '../../faults/history';
import type { Breaking } from '../../faults/observe';
import type { EtcdCluster, EtcdServer } from '../../support/etcd-server';
import { callGateway } from '../etcd-admin';

/** How often each member is asked for its term, in milliseconds. */
const LOOK_MS = 100;

/** Notes when the members elected a leader, injected or not: until then nothing is agreed, and leases begin anew. */
export class ElectionWatch implements Breaking {
  readonly #members: readonly EtcdServer[];
  readonly #asked = new Set<EtcdServer>();
  /** When each term was first seen, and when the one before it was last seen. */
  readonly #terms = new Map<number, { fromMs: number; toMs: number }>();
  #term = 0;
  #seenAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ members }: EtcdCluster) {
    this.#members = members;
  }

  get windows(): readonly FaultWindow[] {
    return [...this.#terms.values()].map((time) => ({
      kind: 'election',
      ...time,
      losesData: false,
    }));
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const member of this.#members) void this.#look(member);
    }, LOOK_MS);
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  async #look(member: EtcdServer): Promise<void> {
    // A member that is paused answers later, and one that is killed does not.
    if (this.#asked.has(member)) return;
    this.#asked.add(member);
    const askedAtMs = performance.now();
    const status = await callGateway(member, 'maintenance/status', {}).catch(() => undefined);
    this.#asked.delete(member);
    const hasLeader = status !== undefined && (status.leader ?? '0') !== '0';
    if (!hasLeader) return;
    this.#note(Number(status.raftTerm), askedAtMs);
  }

  #note(term: number, askedAtMs: number): void {
    if (term < this.#term) return;
    if (term > this.#term && this.#term > 0) {
      this.#terms.set(term, { fromMs: this.#seenAtMs, toMs: performance.now() });
    }
    this.#term = term;
    this.#seenAtMs = Math.max(this.#seenAtMs, askedAtMs);
  }
}
