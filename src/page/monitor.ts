import type { SidecarOverview } from '../api/overview';
import type { LockInfo, LockName } from '../lock/native-lock-service';
import { loadWindow, type ShownLock, toShownLock } from './shown-locks';
import { CallError, type FailureKind, type SidecarClient } from './sidecar-client';

/** The data that the page shows. Times are on its own clock (`performance.now()`). */
export interface View {
  /** Whether the sidecar answers, and if not, why. */
  readonly link: 'starting' | 'live' | FailureKind;
  /** Why the sidecar does not answer. Empty if it does. */
  readonly problem: string;
  /** When everything below was read. Undefined before the first time. */
  readonly readAtMs: number | undefined;
  readonly overview: SidecarOverview | undefined;
  /** The store whose locks are shown. Empty if there is none. */
  readonly storeName: string;
  /** The beginning of the shown resources. Empty for all. */
  readonly prefix: string;
  readonly locks: readonly ShownLock[];
  /** False until the chosen locks were asked for: `locks` are none, or others. */
  readonly isListed: boolean;
  /** Why the locks of the store can't be read. Empty if they can. */
  readonly listProblem: string;
  /** The number of the shown window, from 0, and whether there is another one after it. */
  readonly window: number;
  readonly hasMore: boolean;
  readonly watched: WatchedLock | undefined;
}

/** The lock that somebody looks at. */
export interface WatchedLock {
  readonly name: LockName;
  /** `unseen`: its name is too long to ask for it, and it is not in the shown window. */
  readonly state: 'held' | 'free' | 'unseen';
  /** As it is, or as it was last seen. */
  readonly lock: ShownLock;
  /** When `state` was read, on the clock of the page. */
  readonly readAtMs: number;
}

const NOTHING: View = {
  link: 'starting',
  problem: '',
  readAtMs: undefined,
  overview: undefined,
  storeName: '',
  prefix: '',
  locks: [],
  isListed: false,
  listProblem: '',
  window: 0,
  hasMore: false,
  watched: undefined,
};

/** The pause between two refreshes, in milliseconds. */
export const REFRESH_MS = 2000;

/** Refreshes take at most this part of the time, so that the page is no load for a slow store. */
const BUSY_PART = 0.1;
const LONGEST_PAUSE_MS = 30_000;

/** A configuration is seldom changed. */
const DENIED_PAUSE_MS = 15_000;

/** Reads the sidecar again and again while the page can be seen, and keeps what it answered. */
export class Monitor {
  readonly #client: SidecarClient;
  readonly #isHidden: () => boolean;
  readonly #listeners = new Set<(view: View) => void>();
  /** Where the windows begin that are known. */
  #places = [''];
  #view = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = new AbortController();

  /** @param isHidden true while nobody can see the page; call {@link refresh} when that changes */
  constructor(client: SidecarClient, isHidden: () => boolean) {
    this.#client = client;
    this.#isHidden = isHidden;
  }

  get view(): View {
    return this.#view;
  }

  /** Calls a function after every change. Returns the function that ends this. */
  subscribe(listener: (view: View) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows the locks of a store. */
  selectStore(storeName: string): void {
    this.#startOver({ storeName, locks: [], listProblem: '' });
  }

  /** Shows the locks whose resource begins with a text. */
  search(prefix: string): void {
    this.#startOver({ prefix });
  }

  /** Shows the window after the shown one (1), or before it (-1). */
  turnWindow(by: 1 | -1): void {
    const window = this.#view.window + by;
    if (window < 0 || window >= this.#places.length) return;
    this.#set({ window, isListed: false });
    this.refresh();
  }

  /** Follows one lock, or none. */
  watch(name: LockName | undefined): void {
    const lock = this.#view.locks.find(({ resourceId }) => resourceId === name?.resourceId);
    const isKnown = name !== undefined && lock !== undefined;
    this.#set({
      watched: isKnown ? { name, lock, state: 'held', readAtMs: lock.readAtMs } : undefined,
    });
  }

  /** Reads everything now, and then again and again. Stops while the page is hidden. */
  refresh(): void {
    this.#reading.abort();
    clearTimeout(this.#timer);
    if (this.#isHidden()) return;
    this.#reading = new AbortController();
    void this.#read(this.#reading.signal);
  }

  #startOver(change: Partial<View>): void {
    this.#places = [''];
    this.#set({ ...change, window: 0, hasMore: false, isListed: false });
    this.refresh();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const beganAtMs = performance.now();
    try {
      const read = await this.#readAll(signal);
      if (signal.aborted) return;
      const watched = this.#isStillWatched(read.watched) ? read.watched : this.#view.watched;
      const readAtMs = performance.now();
      this.#set({ ...read, watched, link: 'live', problem: '', readAtMs });
    } catch (error) {
      if (signal.aborted) return;
      const { kind, message } = toCallError(error);
      this.#set({ link: kind, problem: message });
    }
    this.#schedule(performance.now() - beganAtMs);
  }

  async #readAll(signal: AbortSignal): Promise<Partial<View>> {
    const overview = await this.#client.overview(signal);
    const storeName = chooseStore(overview, this.#view.storeName);
    const list = await this.#readLocks(storeName, signal);
    const shown = { ...this.#view, storeName, ...list };
    return { overview, storeName, ...list, watched: await this.#readWatched(shown, signal) };
  }

  async #readLocks(storeName: string, signal: AbortSignal): Promise<Partial<View>> {
    if (storeName === '') return { locks: [], isListed: true, listProblem: '', hasMore: false };
    const { prefix, window, locks: before } = this.#view;
    const pageToken = this.#places[window] ?? '';
    try {
      const loaded = await loadWindow(this.#client, { storeName, prefix, pageToken }, signal);
      if (signal.aborted) return {};
      this.#places = [...this.#places.slice(0, window + 1), loaded.nextPageToken].filter(
        (place, index) => index === 0 || place !== '',
      );
      const locks = toShownLocks(loaded.locks, before, performance.now());
      const hasMore = loaded.nextPageToken !== '';
      return { locks, isListed: true, listProblem: '', hasMore };
    } catch (error) {
      const problem = toCallError(error);
      if (signal.aborted || problem.kind !== 'failed') throw problem;
      // A place is valid until the server of the store is restarted.
      this.#places = [''];
      const listProblem = problem.message;
      return { locks: [], isListed: true, listProblem, window: 0, hasMore: false };
    }
  }

  async #readWatched(shown: View, signal: AbortSignal): Promise<WatchedLock | undefined> {
    const { watched } = shown;
    if (watched === undefined) return undefined;
    const { name, lock: before } = watched;
    const listed = shown.locks.find(({ resourceId }) => resourceId === name.resourceId);
    if (name.storeName === shown.storeName && listed !== undefined) {
      return { name, state: 'held', lock: listed, readAtMs: listed.readAtMs };
    }
    const readAtMs = performance.now();
    if (!this.#client.canGet(name)) return { name, state: 'unseen', lock: before, readAtMs };
    const found = await this.#client.get(name, signal).catch(keepUnanswered);
    if (found === 'unanswered') return watched;
    if (found === undefined) return { name, state: 'free', lock: before, readAtMs };
    const lock = toShownLock(found, before, performance.now());
    return { name, state: 'held', lock, readAtMs };
  }

  /** Somebody may have closed it, or opened another one, in the meantime. */
  #isStillWatched(read: WatchedLock | undefined): boolean {
    return read !== undefined && read.name === this.#view.watched?.name;
  }

  #schedule(tookMs: number): void {
    const { link } = this.#view;
    // Without its token the sidecar need not be asked again.
    if (this.#isHidden() || link === 'token') return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(REFRESH_MS, tookMs / BUSY_PART));
    this.#timer = setTimeout(
      () => {
        this.refresh();
      },
      link === 'denied' ? DENIED_PAUSE_MS : pauseMs,
    );
  }

  #set(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener(this.#view);
  }
}

/** The store that was shown, or the first one. */
function chooseStore({ stores }: SidecarOverview, shown: string): string {
  return (stores.find(({ name }) => name === shown) ?? stores[0])?.name ?? '';
}

function toShownLocks(
  locks: readonly LockInfo[],
  before: readonly ShownLock[],
  atMs: number,
): readonly ShownLock[] {
  const known = new Map(before.map((lock) => [lock.resourceId, lock]));
  return locks.map((lock) => toShownLock(lock, known.get(lock.resourceId), atMs));
}

function toCallError(error: unknown): CallError {
  return error instanceof CallError ? error : new CallError('failed', String(error));
}

/** A store that fails is said in the list of its locks. */
function keepUnanswered(error: unknown): 'unanswered' {
  const known = toCallError(error);
  if (known.kind !== 'failed') throw known;
  return 'unanswered';
}
