import type { ApiObserver } from '../api/api-observer';
import type { PassedCalls } from '../upstream/passed-calls';
import { PassedStreams } from '../upstream/passed-streams';
import type { SessionPool } from '../upstream/session-pool';
import type { Connection } from './connection';
import type { AnswerJoint } from './answer-joint';
import { type ArrivedCall, PassedCall } from './passed-call';
import { PassedApiCall } from './passed-api-call';

/** The parts of {@link Passing}. */
export interface PassingOptions {
  readonly pool: SessionPool;
  readonly limit: PassedCalls;
  readonly observer: ApiObserver;
  /** Changes the answers of some methods, by path. */
  readonly joints: ReadonlyMap<string, AnswerJoint>;
}

/** Passes calls on to the upstream, bounds and observes them. */
export class Passing {
  readonly #options: PassingOptions;
  readonly #streams = new PassedStreams();

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
    this.#streams.add(passed);
    stream.once('close', () => {
      limit.end();
      this.#streams.remove(passed);
    });
    passed.begin();
  }

  /** Ends streams, now and later, until the server is closed. */
  close(): void {
    this.#streams.close();
  }

  /** Call this when the server is closed. */
  closed(): void {
    this.#streams.closed();
  }
}
