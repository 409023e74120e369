import { type Clock, processClock, type Timer } from '../../base/clock';
import { toErrorMessage } from '../../base/error-message';
import type { Logger } from '../../base/logger';
import { race, runWithin } from '../../base/race';
import type { Links } from '../attempts/link';
import type { PostgresqlLink } from './postgresql-link';
import { NO_ANSWER, type Session } from './session';

/**
 * How often the connection is tested, in milliseconds. A connection that broke silently delivers
 * nothing and reports nothing.
 */
const HEARTBEAT_MS = 5000;

/** Pause before a connection is opened again, in milliseconds: at first, and at most. */
const PAUSE_MS = { first: 100, longest: 5000 } as const;

/** The callbacks of {@link WakeUps}. */
export interface WakeUpOptions {
  /** The channel for wake-ups of this store. */
  readonly channel: string;
  /** Called when a ticket should ask. */
  readonly onWoken: (attemptId: string) => void;
  /** Called when the connection listens, at first or again. Wake-ups may have been missed before. */
  readonly onListening: () => void;
}

/** The dependencies of a {@link WakeUps}. */
export interface WakeUpServer {
  readonly links: Links<PostgresqlLink>;
  readonly logger: Logger;
  /** How long opening and testing may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

/**
 * A separate connection that listens on one channel, and wakes all waiters of a store. It is a hint
 * only: without it, waiting works too, but up to one refresh later. A pooler shares its connections
 * to the server among many, so behind one nobody can listen, and nothing is tried.
 */
export class WakeUps {
  readonly #server: WakeUpServer;
  readonly #options: WakeUpOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #isOpening = false;
  #session: Session | undefined;
  #timer: Timer | undefined;
  #pauseMs: number = PAUSE_MS.first;
  #isSilenceSaid = false;

  constructor(server: WakeUpServer, options: WakeUpOptions) {
    this.#server = server;
    this.#options = options;
    this.#clock = server.clock ?? processClock;
  }

  /** Opens the connection unless it is open. Nobody needs to wait for it. */
  open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    void this.#open();
  }

  /** Closes the connection for good. */
  close(): void {
    this.#closing.abort();
    this.#timer?.close();
    this.#session?.end(new Error('the store was closed'));
  }

  async #open(): Promise<void> {
    try {
      const link = this.#server.links.linkFor('');
      if (link === undefined) throw new Error('PostgreSQL is away');
      if (link.facts.isPooled) {
        this.#saySilence('a pooler is between, which can pass no notifications on');
        this.#again(PAUSE_MS.longest);
        return;
      }
      await this.#listen(await runWithin(this.#limit, (signal) => link.openSession(signal)));
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#server.logger.debug(`Wake-ups: ${toErrorMessage(error)}`);
      this.#again(this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS.longest);
    }
  }

  async #listen(session: Session): Promise<void> {
    this.#session = session;
    const { channel, onWoken, onListening } = this.#options;
    session.onNotification((from, attemptId) => {
      if (from === channel) onWoken(attemptId);
    });
    try {
      await this.#run(session, `LISTEN ${channel}`);
    } catch (error) {
      session.end(new Error('it does not listen'));
      throw error;
    }
    this.#pauseMs = PAUSE_MS.first;
    void session.ended.then(() => {
      if (!this.#closing.signal.aborted) this.#again(this.#pauseMs);
    });
    this.#test(session);
    onListening();
  }

  /** Tests the connection until it ends. */
  #test(session: Session): void {
    if (session.endReason !== undefined) return;
    this.#timer = this.#clock.after(HEARTBEAT_MS, () => {
      this.#run(session, 'SELECT 1').then(
        () => {
          this.#test(session);
        },
        () => {
          session.end(new Error('it does not answer'));
        },
      );
    });
    this.#timer.unref();
  }

  #again(pauseMs: number): void {
    this.#timer?.close();
    this.#timer = this.#clock.after(pauseMs, () => void this.#open());
    this.#timer.unref();
  }

  get #limit() {
    return { afterMs: this.#server.timeoutMs, signals: [this.#closing.signal] };
  }

  /** Runs a statement. Rejects if it is not answered in time: a silent session rejects nothing. */
  #run(session: Session, text: string): Promise<unknown> {
    return race(session.run({ text }), this.#limit, () => {
      throw new Error(NO_ANSWER);
    });
  }

  #saySilence(reason: string): void {
    if (this.#isSilenceSaid) return;
    this.#isSilenceSaid = true;
    this.#server.logger.warn(
      `Wake-ups do not work; waiters notice a released lock up to a second later: ${reason}`,
    );
  }
}
