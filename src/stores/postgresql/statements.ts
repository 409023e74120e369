import { createHash } from 'node:crypto';

import type { SendStamp } from '../attempts/send-log';
import type { Statement } from './session';
import { functionsOf } from './schema';
import type { FunctionName, TableNames } from './table-names';

/**
 * The share of a call's time-out for which a statement waits for a row. It ends before the
 * statement's own time-out, so that the server still answers.
 */
const WAIT_SHARE = 0.75;

/** The parameters of a function by name. Those that are left out are NULL. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Writes calls of the functions as statements. Statements have no names, as poolers know none. */
export class Statements {
  readonly #calls: ReadonlyMap<FunctionName, { text: string; parameters: readonly string[] }>;
  readonly #waitMs: number;

  /** @param timeoutMs the time-out of one send */
  constructor(names: TableNames, timeoutMs: number) {
    this.#waitMs = Math.floor(timeoutMs * WAIT_SHARE);
    this.#calls = new Map(
      functionsOf(names).map(({ name, parameters, results }) => {
        const places = Object.keys(parameters).map((_, index) => `$${index + 1}`);
        const call = `${names.toFunction(name)}(${places.join(', ')})`;
        const text = `SELECT ${Object.keys(results).join(', ')} FROM ${call}`;
        return [name, { text, parameters: Object.keys(parameters) }];
      }),
    );
  }

  /** The call of a function. */
  call(name: FunctionName, given: Parameters): Statement {
    const { text, parameters } = this.#calls.get(name) ?? { text: '', parameters: [] };
    const whole: Parameters = { p_wait: this.#waitMs, ...given };
    return { text, values: parameters.map((parameter) => whole[parameter] ?? null) };
  }
}

/** The parameters that name a lock. */
export function keyParameters(key: string): Parameters {
  return { p_id: toLockId(key), p_key: Buffer.from(key) };
}

/** The parameters that name a send. */
export function stampParameters({ notAfterMs, number, markUntilMs }: SendStamp): Parameters {
  return { p_not_after: notAfterMs, p_number: number, p_mark_until: markUntilMs };
}

/** The primary key of a lock: the key itself may be longer than an index allows. */
export function toLockId(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
