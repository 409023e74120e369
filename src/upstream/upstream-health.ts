import { race } from '../base/race';
import { askUpstream } from './own-requests';
import type { HttpUpstream } from './http-upstream';
import type { SessionPool } from './session-pool';

/** How often the upstream is asked, in milliseconds. That is also how soon its return is noticed. */
const ASK_EVERY_MS = 1000;

/** How long it may take to answer, in milliseconds. */
const ANSWER_WITHIN_MS = 2000;

/** daprd's paths of health. */
const HEALTHZ = '/v1.0/healthz';
const OUTBOUND = '/v1.0/healthz/outbound';

/** The links to look at. */
export interface UpstreamLinks {
  readonly sessions: SessionPool | undefined;
  readonly http: HttpUpstream | undefined;
}

/**
 * Whether the upstream is ready: its own health over HTTP, and a sign of life over gRPC, where they
 * are configured. Many questions at a time are one.
 */
export class UpstreamHealth {
  readonly #links: UpstreamLinks;
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #listeners = new Set<(isReady: boolean) => void>();
  #isReady = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(links: UpstreamLinks) {
    this.#links = links;
  }

  /** Begins to ask at intervals. */
  watch(): void {
    this.#timer = setInterval(() => void this.isReady(), ASK_EVERY_MS).unref();
    void this.isReady();
  }

  /** Ends the questions. */
  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  /** Calls back with the present state, and at every change. */
  onChange(listener: (isReady: boolean) => void): void {
    this.#listeners.add(listener);
    listener(this.#isReady);
  }

  /** Asks whether the upstream is ready. Never rejects. */
  async isReady(): Promise<boolean> {
    const isReady = await this.#ask(HEALTHZ);
    if (isReady !== this.#isReady) {
      this.#isReady = isReady;
      for (const listener of this.#listeners) listener(isReady);
    }
    return isReady;
  }

  /** Asks whether anything answers, ready or not. Never rejects. */
  async isReachable(): Promise<boolean> {
    const { sessions, http } = this.#links;
    if (http === undefined) return sessions !== undefined && isAlive(sessions);
    return (await statusOf(http, HEALTHZ)) !== undefined;
  }

  /** Asks whether its APIs can be used. Never rejects. */
  isOutboundReady(): Promise<boolean> {
    return this.#ask(OUTBOUND);
  }

  #ask(target: string): Promise<boolean> {
    const asking = this.#asking.get(target);
    if (asking !== undefined) return asking;
    const asked = this.#askBoth(target).finally(() => this.#asking.delete(target));
    this.#asking.set(target, asked);
    return asked;
  }

  async #askBoth(target: string): Promise<boolean> {
    const { sessions, http } = this.#links;
    const [overGrpc, overHttp] = await Promise.all([
      sessions === undefined || isAlive(sessions),
      http === undefined || isHealthy(http, target),
    ]);
    return overGrpc && overHttp;
  }
}

async function isAlive(sessions: SessionPool): Promise<boolean> {
  try {
    return await race(
      sessions.answers().then(() => true),
      { afterMs: ANSWER_WITHIN_MS },
      () => false,
    );
  } catch {
    return false;
  }
}

async function isHealthy(http: HttpUpstream, target: string): Promise<boolean> {
  const status = await statusOf(http, target);
  return status !== undefined && status >= 200 && status < 300;
}

/** Undefined if there is no answer in time. */
async function statusOf(http: HttpUpstream, target: string): Promise<number | undefined> {
  try {
    return await askUpstream(http, { method: 'GET', target, afterMs: ANSWER_WITHIN_MS });
  } catch {
    return undefined;
  }
}
