import type { FaultWindow } from './history';

/** How often the clients' process is looked at, and by how much later is late, in milliseconds. */
const LOOK_MS = 20;
const LATE_MS = 80;

/** So long nobody stands still on a machine that is equal to its load. */
const STALL_MS = 500;

/** The kind of a time in which the clients' own process stood still: it read answers late. */
export const CLIENT_LATE = 'clients stood still';

/** Notes when the process of the clients was late itself, as on a machine with too much to do. */
export class ClientLag {
  readonly windows: FaultWindow[] = [];
  #lookedAtMs = performance.now();
  readonly #timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs > LOOK_MS + LATE_MS) {
      const time = { fromMs: this.#lookedAtMs, toMs: nowMs };
      this.windows.push({ kind: CLIENT_LATE, ...time, losesData: false });
    }
    this.#lookedAtMs = nowMs;
  }, LOOK_MS);

  /** Those that show a machine with too much to do: the sidecars and Redis may have stood still, too. */
  get stalls(): readonly FaultWindow[] {
    return this.windows.filter(({ fromMs, toMs }) => toMs - fromMs > STALL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
