import { ErrorReply } from 'redis';

import { movedAway, onTheMove } from '../../attempts/elsewhere';
import type { SendFailure } from '../../attempts/link';
import type { RedisAddress } from '../redis-address';

/** A slot that another master has now. */
export interface Move {
  readonly slot: number;
  /** Undefined if the node does not know its address. */
  readonly master: RedisAddress | undefined;
}

/**
 * Reads `MOVED slot host:port`. Undefined for any other error.
 *
 * @param asked the address of the node that replied; it counts if the reply has no host
 */
export function toMove(error: unknown, asked: RedisAddress): Move | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  const match = /^MOVED (\d+) (.*):(\d+)$/.exec(error.message);
  if (match === null) return undefined;
  const [, slot, host = '', port] = match;
  const master = host === '?' ? undefined : { host: host || asked.host, port: Number(port) };
  return { slot: Number(slot), master };
}

/**
 * Replies while a slot is being moved. The last one is that of a script some of whose keys have
 * moved already: it has written nothing, because all keys that it must write were there, or none.
 */
const MOVING = /^(?:ASK|TRYAGAIN) |non local key/;

/** Replies of a node that does not know who serves a slot, or can't serve. */
const UNSERVED = /^(?:CLUSTERDOWN|READONLY|LOADING|MASTERDOWN)\b/;

/** True if the topology may have changed. */
export function isUnserved(error: unknown): boolean {
  return error instanceof ErrorReply && UNSERVED.test(error.message);
}

/** Explains a reply that sends us to another node. Undefined for any other error. */
export function explainRedirect(error: unknown, move: Move | undefined): SendFailure | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  if (move?.master !== undefined) {
    const message = `another node of the Redis cluster serves the slot of the lock: ${error.message}`;
    return { error: movedAway(message, error) };
  }
  if (move === undefined && !MOVING.test(error.message)) return undefined;
  const message = `the Redis cluster is moving the slot of the lock: ${wordsOf(error)}`;
  return { error: onTheMove(message, error) };
}

/** The reply, without the hash of the script and what follows. */
function wordsOf({ message }: ErrorReply): string {
  return message.replace(/ script: .*$/s, '');
}
