import type { Operation, SeenLock } from './history';
import type { Hold, HoldEvent } from './holds';
import type { CallAnswer, HoldRequest, LockRequest } from './lock-request';
import type { SidecarUnderTest } from './sidecar-under-test';

/** Everything before the resource in the keys of a run. */
const KEY_PREFIX = 'lock||myapp||';

/** A call that was made: what stands in the history, and the page of locks of a listing. */
export type Made = Operation & Pick<CallAnswer, 'locks' | 'nextPageToken'>;

/** A hold that is open. */
export interface OpenRecord {
  /** True once it has its lock. */
  readonly isHeld: Promise<boolean>;
  readonly token: number | undefined;
  readonly events: readonly HoldEvent[];
  /** Resolves when the call is over. */
  readonly over: Promise<void>;
  leave(): void;
  fallSilent(): void;
}

/** Makes calls, and keeps what each was told. */
export class Recorder {
  readonly operations: Operation[] = [];
  readonly holds: Hold[] = [];
  readonly #sidecars: readonly SidecarUnderTest[];
  #begun = 0;
  #parts = 0;

  constructor(sidecars: readonly SidecarUnderTest[]) {
    this.#sidecars = sidecars;
  }

  /** How many calls have begun, those of holds included. */
  get begun(): number {
    return this.#begun;
  }

  /** A number for what is no call of its own. */
  readonly nextPartId = (): number => {
    this.#parts -= 1;
    return this.#parts;
  };

  /** Makes one call. */
  async call(sidecar: SidecarUnderTest, request: LockRequest): Promise<Made> {
    this.#begun += 1;
    const id = this.#begun;
    const calledAtMs = performance.now();
    const { validMs, locks, nextPageToken, ...answer } = await sidecar.call(request);
    const { kind, owner, ttlMs, waitMs, named, over, deadlineMs: patienceMs } = request;
    const operation: Operation = {
      id,
      kind,
      by: sidecar.by,
      sidecar: this.#sidecars.indexOf(sidecar),
      key: KEY_PREFIX + request.resourceId,
      owner,
      ttlMs,
      calledAtMs,
      returnedAtMs: performance.now(),
      patienceMs,
      ...(sidecar.by === 'holdfast' && { over }),
      ...(waitMs !== undefined && { waitMs }),
      ...(named !== undefined && { named }),
      ...(validMs !== undefined && { validUntilMs: calledAtMs + validMs }),
      ...answer,
    };
    // A listing is a look at each lock that it could show; see `listed`.
    if (kind !== 'list') this.operations.push(operation);
    if (kind === 'acquire' && answer.seen !== undefined) this.#look(operation, answer.seen);
    return { ...operation, ...(locks && { locks, nextPageToken: nextPageToken ?? '' }) };
  }

  /** Notes what a whole listing has shown: of each resource the lock, or that it was free at some moment. */
  listed(pages: readonly Made[], resources: readonly string[]): void {
    const [first, last] = [pages[0]!, pages.at(-1)!];
    const shown = new Map(
      pages.flatMap((page) =>
        (page.locks ?? []).map((lock) => [lock.resourceId, { lock, page }] as const),
      ),
    );
    for (const resourceId of resources) {
      const { lock, page } = shown.get(resourceId) ?? {};
      const key = KEY_PREFIX + resourceId;
      const time = { calledAtMs: first.calledAtMs, returnedAtMs: last.returnedAtMs };
      if (lock === undefined) this.#addLook({ ...first, ...time, key, answer: 'free' });
      else {
        this.#look({ ...page!, key }, lock);
      }
    }
  }

  #look(call: Operation, { owner, token, leftMs, expiresAtMs }: SeenLock): void {
    this.#addLook({ ...call, answer: 'seen', seen: { owner, token, leftMs, expiresAtMs } });
  }

  #addLook(call: Operation): void {
    const { key, by, owner, calledAtMs, returnedAtMs, answer, seen, sidecar } = call;
    const look = { key, by, owner, calledAtMs, returnedAtMs, answer, seen, sidecar };
    this.operations.push({ ...look, id: this.nextPartId(), kind: 'get', ttlMs: 0, isPart: true });
  }

  /** Opens a hold, and adds it to the record when its call is over. */
  hold(sidecar: SidecarUnderTest, request: HoldRequest): OpenRecord {
    this.#begun += 1;
    const calledAtMs = performance.now();
    const { resourceId, ...asked } = request;
    const events: HoldEvent[] = [];
    let leftAtMs: number | undefined;
    let onHeld = (_isHeld: boolean): void => undefined;
    let onOver = (): void => undefined;
    const isHeld = new Promise<boolean>((resolve) => (onHeld = resolve));
    const over = new Promise<void>((resolve) => (onOver = resolve));
    const number = this.#sidecars.indexOf(sidecar);
    const record = { id: this.#begun, key: KEY_PREFIX + resourceId, sidecar: number, ...asked };
    const open = sidecar.hold!(request, {
      told: (event) => {
        // What arrives after the client has turned away is not heard.
        if (leftAtMs !== undefined) return;
        events.push({ ...event, atMs: performance.now() });
        if (event.type === 'held') onHeld(true);
      },
      ended: (failure) => {
        const endedAtMs = performance.now();
        const times = { calledAtMs, leftAtMs, endedAtMs };
        this.holds.push({ ...record, ...times, events, ...(failure && { failure }) });
        onHeld(false);
        onOver();
      },
    });
    return {
      isHeld,
      over,
      events,
      fallSilent: () => open.fallSilent?.(),
      get token() {
        return events.find(({ type }) => type === 'held')?.token;
      },
      leave: () => {
        leftAtMs ??= performance.now();
        open.leave();
      },
    };
  }
}
