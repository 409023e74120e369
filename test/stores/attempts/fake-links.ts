import { createAttempt } from '../../../src/lock/attempt';
import { StoreError } from '../../../src/lock/lock-store';
import { Attempts } from '../../../src/stores/attempts/attempts';
import type { CallDeadline } from '../../../src/stores/attempts/call-deadline';
import type { Command, Undo, Verdict } from '../../../src/stores/attempts/command';
import type { Link, Links, SendFailure } from '../../../src/stores/attempts/link';
import type { SendStamp } from '../../../src/stores/attempts/send-log';
import { ServerClock } from '../../../src/stores/attempts/server-clock';
import { ManualClock } from '../../support/manual-clock';
import { RecordingLogger } from '../../support/recording-logger';

/** By how much the clock of the server is ahead of the local one. */
export const SERVER_AHEAD_MS = 1_000_000;

/** The answer of a server that does not run the command. */
export class Refusal extends Error {
  constructor(readonly kind: 'unavailable' | 'rejected' | 'read-only') {
    super(`the server says ${kind}`);
  }
}

/** A command that was written to a link, for a test to reply to. */
export interface FakeSend {
  readonly what: string;
  readonly stamp: SendStamp | undefined;
  readonly markUntilMs?: number;
  readonly reply: (reply: string) => void;
  readonly fail: (error: Error) => void;
}

/** A link whose replies a test gives; it answers the time by itself. */
export class FakeLink implements Link {
  readonly serverName = 'Fake';
  readonly sends: FakeSend[] = [];
  dataEpoch: string | undefined = 'first life';
  endReason: Error | undefined;
  timesRead = 0;
  /** The data epoch when asked again. Undefined for no answer at all. */
  epochNow: string | undefined = 'first life';

  constructor(readonly clock: ServerClock | undefined) {}

  write(what: string, details: { stamp?: SendStamp | undefined; markUntilMs?: number } = {}) {
    return new Promise<string>((resolve, reject) => {
      this.sends.push({ what, stamp: details.stamp, ...details, reply: resolve, fail: reject });
    });
  }

  /** The latest that was written. */
  get last(): FakeSend {
    const last = this.sends.at(-1);
    if (last === undefined) throw new Error('nothing was sent over this link');
    return last;
  }

  readDataEpoch(): Promise<string | undefined> {
    return this.epochNow === undefined
      ? new Promise(() => undefined)
      : Promise.resolve(this.epochNow);
  }

  end(reason: Error): void {
    if (this.endReason !== undefined) return;
    this.endReason = reason;
    for (const { fail } of this.sends) fail(new Error('broken'));
  }

  explain(error: unknown): SendFailure {
    if (error instanceof StoreError) return { error };
    if (!(error instanceof Refusal)) {
      return { error: new StoreError('broken', { kind: 'unavailable', outcome: 'unknown' }) };
    }
    const { message } = error;
    const kind = error.kind === 'rejected' ? 'rejected' : 'unavailable';
    return {
      error: new StoreError(message, { kind, outcome: 'not-applied' }),
      ...(kind === 'rejected' ? { hopeless: message } : {}),
      ...(error.kind === 'read-only' ? { useless: error } : {}),
    };
  }
}

/** The room as a test needs it, with links by the first letter of a key. */
export class FakeRoom implements Links<FakeLink> {
  readonly serverName = 'Fake';
  readonly clock = new ManualClock();
  readonly logger = new RecordingLogger();
  readonly attempts: Attempts<FakeLink>;
  withdrawn = 0;
  readonly #links = new Map<string, FakeLink>();
  readonly #waiting = new Map<string, ((link: FakeLink) => void)[]>();

  constructor() {
    this.attempts = new Attempts({
      links: this,
      logger: this.logger,
      clock: this.clock,
      replyTimeoutMs: 200,
      onWithdrawal: () => {
        this.withdrawn += 1;
      },
    });
  }

  linkFor(key: string): FakeLink | undefined {
    const link = this.#links.get(key.charAt(0));
    return link?.endReason === undefined ? link : undefined;
  }

  async reach(key: string, deadline: CallDeadline): Promise<FakeLink> {
    const place = key.charAt(0);
    const link = new Promise<FakeLink>((resolve) => {
      this.#waiting.set(place, [...(this.#waiting.get(place) ?? []), resolve]);
    });
    return deadline.wait(link).catch((cause: unknown) => {
      const options = { kind: 'unavailable', outcome: 'not-applied', cause } as const;
      throw new StoreError("Fake can't be reached", options);
    });
  }

  /** Opens a link for the keys that begin with a letter, as a driver does. */
  async open(place = 'k', options: { readonly hasClock?: boolean } = {}): Promise<FakeLink> {
    const { clock } = this;
    const ask = (): Promise<number> => {
      link.timesRead += 1;
      return Promise.resolve(clock.now() + SERVER_AHEAD_MS);
    };
    // Its first reading comes before there is a link to count it.
    let link = new FakeLink(undefined);
    const serverClock =
      options.hasClock === false ? undefined : await ServerClock.of({ ask, clock });
    link = new FakeLink(serverClock);
    this.#links.set(place, link);
    this.attempts.resend(link);
    for (const go of this.#waiting.get(place) ?? []) go(link);
    this.#waiting.delete(place);
    return link;
  }

  /** Lets another open link have the keys that begin with a letter. It is told nothing. */
  move(place: string, link: FakeLink): void {
    this.#links.set(place, link);
  }

  /** Runs a command of which sends wait 200 ms and which may take 1 s. */
  run(command: FakeCommand, signal: AbortSignal = new AbortController().signal): Promise<string> {
    const answer = this.attempts.run(command, { tryTimeoutMs: 200, callTimeoutMs: 1000 }, signal);
    answer.catch(() => undefined);
    return answer;
  }
}

/**
 * A command that may be answered with any text. `granted` hands out a lease, `nothing` needs the
 * traces of earlier sends, `queued` settles them, `stale` and `superseded` are what they are called.
 */
export class FakeCommand implements Command<FakeLink, string, string>, Undo<FakeLink> {
  readonly attempt = createAttempt();

  constructor(
    readonly key = 'k',
    readonly leaseMs = 60_000,
  ) {}

  send(link: FakeLink, by: SendStamp | number | undefined): Promise<string> {
    if (typeof by === 'number') return link.write(`undo ${this.key}`, { markUntilMs: by });
    return link.write(this.key, { stamp: by });
  }

  judge(reply: string, sentAtMs: number): Verdict<string> {
    if (reply === 'stale' || reply === 'superseded') return reply;
    return {
      answer: reply,
      ...(reply === 'granted' ? { validUntilMs: sentAtMs + this.leaseMs } : {}),
      needsTraces: reply === 'nothing',
      isSettled: reply === 'queued',
    };
  }
}

/** One that changes nothing. */
export function createReading(key = 'k'): Command<FakeLink, string, string> {
  return {
    key,
    send: (link, stamp) => link.write(`read ${key}`, { stamp }),
    judge: (answer) => ({ answer }),
  };
}
