import { runWithin } from '../../base/race';
import { dialHedged } from '../attempts/hedged-dial';
import { NotSentError, stateOf } from './postgresql-errors';
import { type Rows, Session, type SessionWay, SILENT_DIAL_MS, type Statement } from './session';

/** The SQLSTATE of a server, or a role, that has its most connections. */
const FULL_STATE = '53300';

/** How long no connection is opened after the server had no room for it, in milliseconds. */
const FULL_MS = 5000;

/** A statement that waits for a connection. */
interface Waiting {
  readonly use: (session: Session) => void;
  readonly fail: (error: Error) => void;
}

/**
 * The connections of a link. Each runs one statement at a time: behind a statement that waits for a
 * row, no other has to wait. Statements that find no free connection wait in order.
 *
 * One that breaks takes only its own statement with it. When the last one ends, or one can't be
 * opened, the pool ends.
 */
export class SessionPool {
  readonly way: SessionWay;
  readonly #closing = new AbortController();
  readonly #sessions = new Set<Session>();
  readonly #free: Session[] = [];
  readonly #waiting: Waiting[] = [];
  #opening = 0;
  #fullUntilMs = 0;
  #endReason: Error | undefined;
  #resolveEnded: (reason: Error) => void = () => undefined;
  /** Resolves with the reason when the pool has ended. */
  readonly ended = new Promise<Error>((resolve) => {
    this.#resolveEnded = resolve;
  });

  /** @param first is open already */
  constructor(way: SessionWay, first: Session) {
    this.way = way;
    this.#add(first);
  }

  /** Why the pool ended. Undefined while it is open. */
  get endReason(): Error | undefined {
    return this.#endReason;
  }

  /** Runs a statement. If a connection is free, it is written before this returns. */
  async run(statement: Statement): Promise<Rows> {
    const session = this.#free.pop() ?? (await this.#waitForSession());
    try {
      return await session.run(statement);
    } finally {
      this.#release(session);
    }
  }

  /** Ends all connections at once. Statements in flight are rejected. */
  end(reason: Error): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#closing.abort();
    for (const session of this.#sessions) session.end(reason);
    for (const { fail } of this.#waiting.splice(0)) fail(new NotSentError(reason.message));
    this.#resolveEnded(reason);
  }

  /** Ends connections that were not needed for some time. One stays. */
  trim(): void {
    const idleSinceMs = performance.now() - this.way.settings.maxIdleMs;
    // The one that is used next is at the end, so those at the beginning have been idle for longest.
    for (const session of this.#free.slice(0, -1)) {
      if (session.usedAtMs < idleSinceMs) session.end(new Error('it was not needed'));
    }
  }

  #waitForSession(): Promise<Session> {
    if (this.#endReason !== undefined) {
      return Promise.reject(new NotSentError(this.#endReason.message));
    }
    const session = new Promise<Session>((use, fail) => this.#waiting.push({ use, fail }));
    this.#grow();
    return session;
  }

  /** Opens another connection if statements wait and there may be one more. */
  #grow(): void {
    const count = this.#sessions.size + this.#opening;
    const isFull = count > 0 && performance.now() < this.#fullUntilMs;
    const isEnough = this.#opening >= this.#waiting.length;
    if (isFull || isEnough || count >= this.way.settings.maxConnections) return;
    this.#opening += 1;
    dialHedged((settled) => this.#dial(settled), SILENT_DIAL_MS).then(
      (session) => {
        this.#opening -= 1;
        this.#add(session);
      },
      (error: unknown) => {
        this.#opening -= 1;
        this.#afterFailure(error instanceof Error ? error : new Error('no connection'));
      },
    );
  }

  #dial(settled: AbortSignal): Promise<Session> {
    const signals = [this.#closing.signal, settled];
    const limit = { afterMs: this.way.settings.dialTimeoutMs, signals };
    return runWithin(limit, (signal) => Session.open(this.way, signal));
  }

  #add(session: Session): void {
    this.#sessions.add(session);
    void session.ended.then((reason) => {
      this.#remove(session, reason);
    });
    if (this.#endReason === undefined) this.#release(session);
    else session.end(this.#endReason);
  }

  #release(session: Session): void {
    if (session.endReason !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(session);
    else next.use(session);
  }

  #remove(session: Session, reason: Error): void {
    this.#sessions.delete(session);
    const place = this.#free.indexOf(session);
    if (place >= 0) this.#free.splice(place, 1);
    if (this.#sessions.size === 0 && this.#opening === 0) this.end(reason);
    else if (this.#waiting.length > 0) this.#grow();
  }

  #afterFailure(error: Error): void {
    const isFull = stateOf(error) === FULL_STATE;
    if (isFull) this.#fullUntilMs = performance.now() + FULL_MS;
    // With a connection left, the others' statements go on; those that wait are served by it.
    if (this.#sessions.size === 0 && this.#opening === 0) this.end(error);
    else if (!isFull && this.#sessions.size > 0) this.#fullUntilMs = performance.now() + FULL_MS;
  }
}
