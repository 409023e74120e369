/** The parameters that allow a send to be repeated without a second effect. */
export interface SendStamp {
  /** The number of the send within its attempt, from 0. */
  readonly number: number;
  /** The last millisecond, on the server's clock, at which the send may take effect. */
  readonly notAfterMs: number;
  /**
   * How long the server keeps the traces of the send, on its clock: as long as the attempt may be
   * sent again.
   */
  readonly markUntilMs: number;
}

/** A send whose reply was lost. */
export interface LostSend {
  /** The local time after which it can't take effect any more. */
  readonly untilMs: number;
  /** How long its traces remain on the server, in local time. */
  readonly tracesUntilMs: number;
  /** The lifetime of the server's data to which it was sent. Undefined if it is unknown. */
  readonly dataEpoch: string | undefined;
  /** False if it was sent without a stamp, so that nothing limits when it takes effect. */
  readonly bounded: boolean;
}

/** Records the sends of one attempt. */
export class SendLog {
  #sends = 0;
  #latestMarkMs = 0;
  #latestNotAfterMs = 0;
  #lost: readonly LostSend[] = [];
  #hasLost = false;

  /** Counts a send and creates its stamp. */
  stamp(notAfterMs: number, markUntilMs: number): SendStamp {
    const number = this.#sends;
    this.#sends += 1;
    this.#latestNotAfterMs = Math.max(this.#latestNotAfterMs, notAfterMs);
    // The clock's previous reading may have been behind the present one.
    this.#latestMarkMs = Math.max(this.#latestMarkMs, markUntilMs);
    return { number, notAfterMs, markUntilMs: this.#latestMarkMs };
  }

  /** Records a send whose reply was lost. It may have taken effect, or may still do so. */
  addLost(send: LostSend): void {
    this.#lost = [...this.#lost, send];
    this.#hasLost = true;
  }

  /** Notes that no unanswered send can take effect any more: a later one was answered. */
  settle(): void {
    this.#lost = [];
  }

  /** True if a send may have taken effect without an answer. */
  get isOpen(): boolean {
    return this.#lost.length > 0;
  }

  /**
   * True if a send may have taken effect without an answer, even if that is over: a lease that nobody
   * was told of, which ended before a later send was answered. Then nobody can say that nothing was
   * done.
   */
  get mayHaveActed(): boolean {
    return this.#hasLost;
  }

  /** True if the server can recognise every unanswered send, and each of them has an end. */
  get isBounded(): boolean {
    return this.#lost.every(({ bounded }) => bounded);
  }

  /** True if the server can recognise the attempt, because a send of it carried a stamp. */
  get isStamped(): boolean {
    return this.#sends > 0;
  }

  /** The latest time, on the server's clock, at which a send of the attempt may take effect. */
  get latestNotAfterMs(): number {
    return this.#latestNotAfterMs;
  }

  /**
   * The latest local time at which an unanswered send may take effect. 0 if every send was
   * answered.
   */
  get openUntilMs(): number {
    return Math.max(0, ...this.#lost.map(({ untilMs }) => untilMs));
  }

  /** True if the traces of every unanswered send still exist in this lifetime of the data. */
  hasTracesIn(dataEpoch: string | undefined, nowMs: number): boolean {
    return (
      dataEpoch !== undefined &&
      this.#lost.every((send) => send.dataEpoch === dataEpoch && nowMs < send.tracesUntilMs)
    );
  }
}
