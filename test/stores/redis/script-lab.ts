import { createAttempt } from '../../../src/lock/attempt';
import {
  toChannel,
  toCompanionKey,
  toMarkerKey,
  toPresenceKey,
  toQueueKey,
} from '../../../src/stores/redis/side-keys';
import type { InspectingClient } from '../../support/redis-server';
import {
  acquireScript,
  askScript,
  openScript,
  refreshScript,
  releaseScript,
  renewScript,
  viewScript,
  withdrawScript,
} from '../../support/plain-scripts';

/** The scripts of the store, by name. */
const SCRIPTS = {
  acquire: acquireScript.source,
  ask: askScript.source,
  open: openScript.source,
  refresh: refreshScript.source,
  release: releaseScript.source,
  renew: renewScript.source,
  view: viewScript.source,
  withdraw: withdrawScript.source,
};

export type ScriptName = keyof typeof SCRIPTS;

/** The answer of a script: one number, a token, or a list. */
export type LabReply = number | string | (number | string)[];

/** A change of a script's text, which has to be in it. */
export interface Mutation {
  readonly scripts: readonly ScriptName[];
  readonly piece: string;
  readonly by: string;
}

/** The caller, as a script sees it: one attempt of an owner on a lock. */
export interface LabCall {
  readonly key: string;
  readonly owner: string;
  readonly attempt: string;
  readonly ttlMs: number;
  /** The sidecar whose ticket it is. */
  readonly sidecar: string;
  readonly deadlineMs: number;
}

/** How a send is stamped; the defaults are those of a first send that has time. */
export interface LabSend {
  readonly number?: number;
  readonly notAfterMs?: number;
  readonly session?: string;
  readonly place?: number | string;
}

export const inAMinute = (): number => Date.now() + 60_000;

let made = 0;

/** A call on a key of its own unless one is given. */
export function labCall(given: Partial<LabCall> = {}): LabCall {
  made += 1;
  return {
    key: `lock||lab||${made}`,
    owner: 'a',
    attempt: createAttempt().id,
    ttlMs: 60_000,
    sidecar: 'ab',
    deadlineMs: inAMinute(),
    ...given,
  };
}

/** Runs the scripts of the store on a real Redis, one send at a time and as the store would not: late, or changed. */
export class ScriptLab {
  readonly client: InspectingClient;
  readonly #scripts: Readonly<Record<ScriptName, string>>;

  constructor(client: InspectingClient, mutation?: Mutation) {
    this.client = client;
    const scripts: Record<ScriptName, string> = { ...SCRIPTS };
    for (const name of mutation?.scripts ?? []) {
      const { piece, by } = mutation!;
      if (!scripts[name].includes(piece)) throw new Error(`${name} has no "${piece}" any more`);
      scripts[name] = scripts[name].replaceAll(piece, by);
    }
    this.#scripts = scripts;
  }

  async run(name: ScriptName, keys: string[], args: readonly (string | number)[]) {
    const options = { keys, arguments: args.map(String) };
    return (await this.client.eval(this.#scripts[name], options)) as LabReply;
  }

  acquire(call: LabCall, { number = 0, notAfterMs = inAMinute() }: LabSend = {}) {
    const args = [call.owner, call.attempt, call.ttlMs, notAfterMs, number, inAMinute()];
    return this.run('acquire', this.keysOf(call).slice(0, 3), args);
  }

  ask(call: LabCall, send: LabSend = {}) {
    const { number = 0, notAfterMs = inAMinute(), session = '1', place = '' } = send;
    const stamp = [notAfterMs, number, inAMinute()];
    const args = [call.owner, call.attempt, call.ttlMs, ...stamp, this.ticketOf(call), session];
    return this.run('ask', [...this.keysOf(call), toPresenceKey(call.sidecar)], [...args, place]);
  }

  open(sidecar: string, session = '1', notAfterMs = inAMinute()) {
    const args = [session, notAfterMs, toChannel(sidecar)];
    return this.run('open', [toPresenceKey(sidecar)], args);
  }

  refresh(
    sidecar: string,
    locks: readonly string[],
    { session = '1', notAfterMs = inAMinute() } = {},
  ) {
    return this.run('refresh', [toPresenceKey(sidecar), ...locks], [session, notAfterMs]);
  }

  /** A release by another attempt than the one that took the lock, unless one is given. */
  release(
    call: LabCall,
    want: {
      owner?: string;
      token?: number | '';
      expiry?: number | '';
      attempt?: string;
    } & LabSend = {},
  ) {
    const { owner = call.owner, token = '', expiry = '', attempt = createAttempt().id } = want;
    const { number = 0, notAfterMs = inAMinute() } = want;
    const args = [owner, notAfterMs, number, inAMinute(), token, expiry];
    return this.run('release', this.keysOf({ ...call, attempt }), args);
  }

  renew(
    call: LabCall,
    ttlMs: number,
    { token, notAfterMs = inAMinute() }: { token?: number; notAfterMs?: number } = {},
  ) {
    const keys = [call.key, toCompanionKey(call.key)];
    return this.run('renew', keys, [call.owner, ttlMs, notAfterMs, token ?? '']);
  }

  withdraw(call: LabCall, { untilMs = inAMinute(), hasTicket = false } = {}) {
    const ticket = hasTicket ? this.ticketOf(call) : '';
    return this.run('withdraw', this.keysOf(call), [call.owner, call.attempt, untilMs, ticket]);
  }

  async view(...keys: string[]): Promise<(number | string)[][]> {
    const reply: unknown = await this.run('view', keys, []);
    return reply as (number | string)[][];
  }

  ticketOf({ sidecar, attempt, deadlineMs }: LabCall): string {
    return `${sidecar}:${attempt}:${deadlineMs}`;
  }

  keysOf({ key, attempt }: LabCall): string[] {
    return [key, toCompanionKey(key), toMarkerKey(key, attempt), toQueueKey(key)];
  }

  /** The tickets of a lock's queue, the head first. */
  tickets({ key }: LabCall): Promise<string[]> {
    return this.client.zRange(toQueueKey(key), 0, -1);
  }

  /** The command that a daprd would send. */
  daprd({ key }: LabCall, owner: string, seconds = 60) {
    return this.client.set(key, owner, {
      condition: 'NX',
      expiration: { type: 'EX', value: seconds },
    });
  }
}

/** The token of a grant; fails where the reply is none. */
export function tokenOf(reply: LabReply): number {
  if (typeof reply === 'string') return Number(reply);
  if (!Array.isArray(reply) || reply[0] !== 1) throw new Error(`no grant: ${String(reply)}`);
  return Number(reply[1]);
}
