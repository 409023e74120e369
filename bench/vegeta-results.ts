import type { Action } from './lock-requests';

/** Says whether a call was answered as it should be. */
export type AnswerCheck = (call: {
  readonly action: Action;
  readonly body: Buffer;
  /** The size of what was sent, in bytes. */
  readonly sentBytes: number;
}) => boolean;

/** The last result of vegeta for each worker of a plan. No call belongs to it. */
const END_OF_PLAN = 'no targets to attack';

/** How much of a wrong answer is shown. */
const SHOWN_BYTES = 100;

const NS_A_SECOND = 1e9;
const NS_A_MS = 1e6;

/** The calls of a run, read off the lines of `vegeta encode --to csv`. */
export class VegetaResults {
  readonly #check: AnswerCheck;
  /** The time between two calls of a plan with a rate; 0 at full speed. */
  readonly #intervalNs: number;
  readonly #sentNs: number[] = [];
  readonly #tookNs: number[] = [];
  readonly #sequence: number[] = [];
  #base: bigint | undefined;
  #wrong = 0;
  #example = '';

  constructor(check: AnswerCheck, callsPerSecond?: number) {
    this.#check = check;
    this.#intervalNs = callsPerSecond === undefined ? 0 : NS_A_SECOND / callsPerSecond;
  }

  /** Takes a line: time in ns since 1970, status, latency in ns, bytes out, in, error, body, ... */
  add(line: string): void {
    const [sentAt = '', status, took, bytesOut, , error = '', body = '', , sequence, , url = ''] =
      line.split(',');
    if (error === END_OF_PLAN) return;
    const sent = BigInt(sentAt);
    this.#base ??= sent;
    this.#sentNs.push(Number(sent - this.#base));
    this.#tookNs.push(Number(took));
    this.#sequence.push(Number(sequence));
    const answer = Buffer.from(body, 'base64');
    const action = /unlock/i.test(url) ? 'unlock' : 'lock';
    const right = this.#check({ action, body: answer, sentBytes: Number(bytesOut) });
    if (status === '200' && error === '' && right) return;
    this.#wrong += 1;
    this.#example ||= `${url} answered ${String(status)} ${error} ${describe(answer)}`;
  }

  /** How many calls were made. */
  get calls(): number {
    return this.#tookNs.length;
  }

  /** Throws where a call failed or had a wrong answer, or where none was made. */
  assertAllRight(): void {
    if (this.calls === 0) throw new Error('vegeta made no call');
    if (this.#wrong === 0) return;
    throw new Error(
      `${this.#wrong} of ${this.calls} calls failed or were answered wrongly, the first: ${this.#example}`,
    );
  }

  /** Calls a second, from the first call's start to the last one's end. */
  get callsPerSecond(): number {
    const lastEnd = this.#sentNs.reduce(
      (last, sent, index) => Math.max(last, sent + (this.#tookNs[index] ?? 0)),
      0,
    );
    const firstStart = this.#sentNs.reduce((first, sent) => Math.min(first, sent), 0);
    return this.calls / ((lastEnd - firstStart) / NS_A_SECOND);
  }

  /** The mean time of a call, in milliseconds. */
  get meanMs(): number {
    return this.#tookNs.reduce((sum, took) => sum + took, 0) / this.calls / NS_A_MS;
  }

  /**
   * How long each call took, in milliseconds. At a rate a call's time counts from when it was due and
   * not from when it was sent: where the generator itself was late, that is time a caller has waited
   * (coordinated omission). The first calls may be left out.
   */
  waitsMs(leaveOut = 0): readonly number[] {
    const dueNs = this.#sequence.map((number) => number * this.#intervalNs);
    const begunNs = this.#sentNs.reduce(
      (earliest, sent, index) => Math.min(earliest, sent - (dueNs[index] ?? 0)),
      Infinity,
    );
    return this.#tookNs
      .map((took, index) => {
        if (this.#intervalNs === 0) return took / NS_A_MS;
        return ((this.#sentNs[index] ?? 0) + took - begunNs - (dueNs[index] ?? 0)) / NS_A_MS;
      })
      .filter((_, index) => (this.#sequence[index] ?? 0) >= leaveOut);
  }
}

/** A body as a short text that can be read and printed. */
function describe(body: Buffer): string {
  return JSON.stringify(body.toString('latin1').slice(0, SHOWN_BYTES));
}
