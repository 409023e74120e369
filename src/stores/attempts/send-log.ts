/** What a send carries so that it can be repeated without a second effect. */
export interface SendStamp {
  /** Its number among the sends of its attempt, from 0. */
  readonly number: number;
  /** The last millisecond, on the server's clock, at which it may take effect. */
  readonly notAfterMs: number;
  /** Until when its traces stand on the server: as long as the attempt may be sent again. */
  readonly markUntilMs: number;
}

/** A send to which no answer came. */
export interface LostSend {
  /** By then it can't take effect any more, on the local clock. */
  readonly untilMs: number;
  /** Until then its traces stand on the server, on the same clock. */
  readonly tracesUntilMs: number;
  /** The life of the server's data that it went to, undefined where that isn't known. */
  readonly dataEpoch: string | undefined;
  /** False where nothing bounds it: sent without a stamp. */
  readonly bounded: boolean;
}

/** What is known of the sends of one attempt. */
export class SendLog {
  #sends = 0;
  #latestMarkMs = 0;
  #latestNotAfterMs = 0;
  readonly #lost: LostSend[] = [];

  /** Counts a send and stamps it. */
  stamp(notAfterMs: number, markUntilMs: number): SendStamp {
    const number = this.#sends;
    this.#sends += 1;
    this.#latestNotAfterMs = Math.max(this.#latestNotAfterMs, notAfterMs);
    // A clock that was read anew may have shown less before than it does now.
    this.#latestMarkMs = Math.max(this.#latestMarkMs, markUntilMs);
    return { number, notAfterMs, markUntilMs: this.#latestMarkMs };
  }

  /** Notes that the answer to a send did not come: it may have taken effect, or may yet. */
  addLost(send: LostSend): void {
    this.#lost.push(send);
  }

  /** True where a send may have taken effect without an answer. */
  get isOpen(): boolean {
    return this.#lost.length > 0;
  }

  /** True where every unanswered send can be told from others by the server, and ends by itself. */
  get isBounded(): boolean {
    return this.#lost.every(({ bounded }) => bounded);
  }

  /** True where the server can tell the attempt from others: a send of it carried a stamp. */
  get isStamped(): boolean {
    return this.#sends > 0;
  }

  /** The latest moment, on the server's clock, at which a send of the attempt may take effect. */
  get latestNotAfterMs(): number {
    return this.#latestNotAfterMs;
  }

  /** The same on the local clock; 0 where every send was answered. */
  get openUntilMs(): number {
    return Math.max(0, ...this.#lost.map(({ untilMs }) => untilMs));
  }

  /** True where the traces of every unanswered send still stand in this life of the data. */
  hasTracesIn(dataEpoch: string | undefined, nowMs: number): boolean {
    return (
      dataEpoch !== undefined &&
      this.#lost.every((send) => send.dataEpoch === dataEpoch && nowMs < send.tracesUntilMs)
    );
  }
}
