import type { ApiObserver } from '../api/api-observer';
import type { CallLimit } from '../upstream/call-limit';
import type { SessionPool } from '../upstream/session-pool';
import { upstreamErrors } from '../upstream/upstream-error';
import type { Connection } from './connection';
import { type AnswerJoint, type ArrivedCall, PassedCall } from './passed-call';
import { PassedApiCall } from './passed-api-call';

/** How often a closing server looks for calls to end, in milliseconds. */
const LOOK_EVERY_MS = 250;

/**
 * A call whose answer has been coming for longer than this is a stream, in milliseconds. A closing
 * server ends it, as it would never end by itself. Others may finish.
 */
const STREAM_AFTER_MS = 1000;

/** The parts of {@link Passing}. */
export interface PassingOptions {
  readonly pool: SessionPool;
  readonly limit: CallLimit;
  readonly observer: ApiObserver;
  /** Changes the answers of some methods, by path. */
  readonly joints: ReadonlyMap<string, AnswerJoint>;
}

/** Passes calls on to the upstream, bounds and observes them. */
export class Passing {
  readonly #options: PassingOptions;
  readonly #calls = new Set<PassedCall>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PassingOptions) {
    this.#options = options;
  }

  /** Passes a call on. It ends with its stream. */
  pass(call: ArrivedCall, connection: Pick<Connection, 'socket'>): void {
    const { pool, limit, observer, joints } = this.#options;
    const { stream, headers } = call;
    const observed = observer.begin(new PassedApiCall(headers, connection.socket));
    const passed = new PassedCall(call, pool, joints.get(headers[':path'] ?? ''));
    stream.once('close', () => {
      const { status } = passed;
      observed?.end({ status, responseBytes: 0, errorCode: undefined, isLogged: true });
    });
    try {
      limit.begin();
    } catch (error) {
      passed.fail(error);
      return;
    }
    this.#calls.add(passed);
    stream.once('close', () => {
      limit.end();
      this.#calls.delete(passed);
    });
    passed.begin();
  }

  /** Ends streams, now and later, until the server is closed. */
  close(): void {
    this.#timer ??= setInterval(() => {
      this.#endStreams();
    }, LOOK_EVERY_MS);
  }

  /** Call this when the server is closed. */
  closed(): void {
    clearInterval(this.#timer);
  }

  #endStreams(): void {
    const before = performance.now() - STREAM_AFTER_MS;
    for (const call of this.#calls) {
      if ((call.answeredAtMs ?? Infinity) > before) continue;
      call.fail(upstreamErrors.stopping());
    }
  }
}
