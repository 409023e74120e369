import { CODE, ConnectionError } from './protocol';

/** The length of the interval in which frames are counted, in milliseconds. */
const INTERVAL_MS = 1000;

/**
 * Control frames that a client may send for each piece of an answer, beside its budget: it opens two
 * windows, and may measure its bandwidth by a PING, as grpc-go does. A fast client would exceed any
 * fixed number with these.
 */
const FRAMES_AN_ANSWER = 3;

/** SETTINGS count as so many frames, because they may change the windows of all streams. */
export const SETTINGS_WEIGHT = 50;

/** How much useless work a connection may cause. */
export interface FloodBounds {
  /**
   * Frames in a second that carry nothing of a call: all but HEADERS, CONTINUATION, DATA with
   * content, and RST_STREAM of an open stream. {@link FRAMES_AN_ANSWER} more for what is answered.
   */
  readonly controlFrames: number;
  /**
   * Streams in a second that the client cancels in the same piece of data with which it opens them,
   * or that it makes the server reset. Streams that are cancelled later are not counted: a client
   * whose deadlines pass because an answer is slow does nothing wrong.
   */
  readonly hastyResets: number;
}

/**
 * Counts what floods are made of: PINGs, SETTINGS, empty frames (CVE-2019-9511 to 9518), and streams
 * that are opened and reset at once (CVE-2023-44487, CVE-2025-8671). RFC 9113, 10.5, leaves the
 * bounds to the server.
 */
export class FloodGuard {
  readonly #controlFrames: Rate;
  readonly #hastyResets: Rate;

  /** @param now a monotonic clock in milliseconds */
  constructor(bounds: FloodBounds, now: () => number) {
    this.#controlFrames = new Rate(bounds.controlFrames, now);
    this.#hastyResets = new Rate(bounds.hastyResets, now);
  }

  /**
   * Counts a frame that carries nothing of a call.
   *
   * @param weight for how many it counts
   * @throws {ConnectionError} ENHANCE_YOUR_CALM if there are too many
   */
  countControlFrame(weight = 1): void {
    if (!this.#controlFrames.count(weight)) throw tooMany('control frames');
  }

  /** Header fields or a message of an answer were sent: see {@link FRAMES_AN_ANSWER}. */
  answered(): void {
    this.#controlFrames.giveBack(FRAMES_AN_ANSWER);
  }

  /**
   * Counts a stream that ended as soon as it began, by the client's will or its fault.
   *
   * @throws {ConnectionError} ENHANCE_YOUR_CALM if there are too many
   */
  countHastyReset(): void {
    if (!this.#hastyResets.count()) throw tooMany('streams that are reset at once');
  }
}

/** Counts events in intervals. It looks at the clock only when an interval may be full. */
class Rate {
  readonly #most: number;
  readonly #now: () => number;
  #count = 0;
  #beganAtMs: number;

  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
    this.#beganAtMs = now();
  }

  /** False if there were more events than allowed in an interval. */
  count(weight = 1): boolean {
    this.#count += weight;
    if (this.#count <= this.#most) return true;
    const nowMs = this.#now();
    if (nowMs - this.#beganAtMs < INTERVAL_MS) return false;
    this.#beganAtMs = nowMs;
    this.#count = weight;
    return true;
  }

  /** Uncounts events, but never more than were counted. */
  giveBack(events: number): void {
    this.#count = Math.max(0, this.#count - events);
  }
}

function tooMany(what: string): ConnectionError {
  return new ConnectionError(CODE.enhanceYourCalm, `too many ${what} within a second`);
}
