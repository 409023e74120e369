import { setTimeout as pause } from 'node:timers/promises';

import type { LockRequest } from './lock-request';
import type { Random } from './random';
import type { Made, Recorder } from './recorder';
import type { SidecarUnderTest } from './sidecar-under-test';

/** Leases are short, so that many end while somebody uses them; none is longer than the longest of the workload. */
const LEASES_MS = [200, 400, 600, 1000, 2000] as const;

const WAITS_MS = [0, 100, 500, 1500, 2500] as const;

/** Keys of which there is hardly ever a free one are waited for; one in so many. */
const WAITED_FOR = 3;

interface Context {
  readonly sidecars: readonly SidecarUnderTest[];
  readonly keys: number;
  readonly run: string;
  readonly deadlineMs: number;
  readonly random: Random;
  readonly recorder: Recorder;
}

/** One lock of a client: whom it asks, and by which name. */
interface Subject {
  readonly sidecar: SidecarUnderTest;
  readonly resourceId: string;
  readonly owner: string;
}

/** A client of the native API: takes, waits, holds, renews, looks and forces, beside Dapr's calls on the same locks. */
export class NativeClient {
  readonly #index: number;
  readonly #context: Context;
  readonly #deeds: readonly (() => Promise<unknown>)[];
  #turn = 0;
  /** A look of before, by which a release is forced though the grant may be another by now. */
  #oldLook: Made | undefined;

  constructor(index: number, context: Context) {
    this.#index = index;
    this.#context = context;
    const hold = (): Promise<unknown> => this.#hold();
    const acquire = (): Promise<unknown> => this.#acquire();
    const tryLock = (): Promise<unknown> => this.#tryLockAndRenew();
    const operate = (): Promise<unknown> => this.#operate();
    this.#deeds = [
      hold,
      hold,
      hold,
      acquire,
      acquire,
      acquire,
      tryLock,
      operate,
      () => this.#list(),
    ];
  }

  /** Does one thing from beginning to end. */
  async turn(): Promise<void> {
    const { random } = this.#context;
    this.#turn += 1;
    await random.pick(this.#deeds)();
    await pause(random.between(0, 20));
  }

  async #hold(): Promise<void> {
    const { random, recorder } = this.#context;
    const subject = this.#subject();
    const { sidecar, ...named } = subject;
    const [ttlMs, waitMs] = [random.pick(LEASES_MS), random.pick(WAITS_MS)];
    const over = random.chance(0.5) ? 'http' : 'grpc';
    const hold = recorder.hold(sidecar, { ...named, ttlMs, waitMs, over });
    // Some leave while they wait.
    const isHeld = random.chance(0.08)
      ? await Promise.race([hold.isHeld, pause(random.between(0, 1000), false)])
      : await hold.isHeld;
    if (isHeld) await this.#whileHeld(subject, hold.token);
    const spentMs = random.chance(0.1) ? 3 * ttlMs : random.between(0, ttlMs);
    if (isHeld) await Promise.race([hold.over, pause(spentMs)]);
    hold.leave();
    await hold.over;
  }

  /** Calls that others, or its owner, may make for a lock that is held. */
  async #whileHeld(subject: Subject, token: number | undefined): Promise<void> {
    const { random } = this.#context;
    const deed = random.next();
    const named = token;
    if (deed < 0.04) await this.#call(subject, { kind: 'unlock' });
    else if (deed < 0.08) await this.#call(subject, { kind: 'release', named });
    else if (deed < 0.12) await this.#call(subject, { kind: 'forceRelease', named });
    else if (deed < 0.2) await this.#call(subject, { kind: 'renew', ttlMs: 300, named });
    else if (deed < 0.3) await this.#call(subject, { kind: 'get' });
  }

  async #acquire(): Promise<void> {
    const { random } = this.#context;
    const subject = this.#subject();
    const ttlMs = random.pick(LEASES_MS);
    const waitMs = random.pick(WAITS_MS);
    const taken = await this.#call(subject, { kind: 'acquire', ttlMs, waitMs });
    if (taken.answer !== 'acquired') return;
    const named = random.chance(0.7) ? taken.token : undefined;
    if (random.chance(0.1)) await this.#call(subject, { kind: 'acquire', ttlMs });
    if (random.chance(0.5)) await this.#renew(subject, named);
    await pause(random.between(0, 10));
    // Some forget to release, some come back when their lease is over.
    if (random.chance(0.1)) return;
    if (random.chance(0.05)) await pause(ttlMs + random.between(0, 300));
    if (random.chance(0.2)) await this.#call(subject, { kind: 'unlock' });
    else await this.#call(subject, { kind: 'release', named });
    // A renewal of what was let go of must not revive it.
    if (random.chance(0.2)) await this.#renew(subject, named);
    if (random.chance(0.1)) await this.#call(subject, { kind: 'release', named });
  }

  /** A lock of Dapr's API, prolonged and released by the native one. */
  async #tryLockAndRenew(): Promise<void> {
    const { random } = this.#context;
    const subject = this.#subject();
    const taken = await this.#call(subject, { kind: 'tryLock', ttlMs: 1000 });
    if (taken.answer !== 'acquired') return;
    const named = random.chance(0.5) ? taken.token : undefined;
    await this.#renew(subject, named);
    if (random.chance(0.3)) await this.#call(subject, { kind: 'get' });
    await pause(random.between(0, 10));
    if (random.chance(0.7)) await this.#call(subject, { kind: 'release', named });
  }

  #renew(subject: Subject, named: number | undefined): Promise<Made> {
    const ttlMs = this.#context.random.pick(LEASES_MS);
    return this.#call(subject, { kind: 'renew', ttlMs, named });
  }

  /** Looks at a lock, and now and then frees what it has seen, or what it saw before. */
  async #operate(): Promise<void> {
    const { random } = this.#context;
    const subject = this.#subject();
    const look = await this.#call(subject, { kind: 'get' });
    const old = this.#oldLook;
    if (look.seen !== undefined && random.chance(0.3)) this.#oldLook = look;
    if (look.seen !== undefined && random.chance(0.1)) await this.#force(subject, look);
    else if (old !== undefined && random.chance(0.3)) await this.#force(subject, old);
  }

  async #force({ sidecar }: Subject, { key, seen }: Made): Promise<void> {
    const resourceId = key.split('||').at(-1)!;
    const { owner, token: named, expiresAtMs } = seen!;
    await this.#call({ sidecar, resourceId, owner }, { kind: 'forceRelease', named, expiresAtMs });
  }

  async #list(): Promise<void> {
    const { run, keys, recorder } = this.#context;
    const subject = { ...this.#subject(), resourceId: `${run}-` };
    const pages: Made[] = [];
    do {
      const pageToken = pages.at(-1)?.nextPageToken ?? '';
      const page = await this.#call(subject, { kind: 'list', pageToken });
      // A page token of a Redis that was restarted since, or a sidecar that can't answer now.
      if (page.locks === undefined) return;
      pages.push(page);
    } while (pages.at(-1)?.nextPageToken !== '');
    const resources = Array.from({ length: keys }, (_, index) => `${run}-${index + 1}`);
    recorder.listed(pages, resources);
  }

  /** Somebody with a name of its own, at a sidecar that can serve it. */
  #subject(): Subject {
    const { sidecars, random, run, keys } = this.#context;
    const sidecar = random.pick(sidecars.filter(({ isUp, hold }) => isUp && hold !== undefined));
    const most = random.chance(0.6) ? Math.ceil(keys / WAITED_FOR) : keys;
    const resourceId = `${run}-${random.between(1, most)}`;
    return { sidecar, resourceId, owner: `native-${this.#index}-${this.#turn}` };
  }

  #call(
    { sidecar, resourceId, owner }: Subject,
    what: Pick<LockRequest, 'kind'> & Partial<LockRequest>,
  ): Promise<Made> {
    const { random, recorder, deadlineMs } = this.#context;
    const over = random.chance(0.5) ? 'http' : 'grpc';
    const isHasty = random.chance(0.03);
    const patience = { deadlineMs: isHasty ? random.between(2, 300) : deadlineMs };
    return recorder.call(sidecar, { resourceId, owner, ttlMs: 0, over, ...patience, ...what });
  }
}
