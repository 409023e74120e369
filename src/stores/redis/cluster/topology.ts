import { processClock } from '../../../base/clock';
import { race } from '../../../base/race';
import { StoreError } from '../../../lock/lock-store';
import { endIfSilent } from '../../attempts/await-reply';
import type { RedisAddress } from '../redis-address';
import { isRefused } from '../redis-errors';
import type { RedisLink } from '../redis-link';
import { toText } from '../replies';
import { SLOTS } from './slots';

/** A range of slots and the master that serves it. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: RedisAddress;
}

/** Which master serves which slots, as one node tells it. */
export interface Topology {
  /** False if this node knows that it can't serve: it may be cut off from the others. */
  readonly isServed: boolean;
  /** Rises with every change that the cluster has agreed on. */
  readonly epoch: number;
  readonly ranges: readonly SlotRange[];
}

/**
 * Asks a node for the topology. A link that stays silent is ended: there may be no other question on it, and the next call
 * would wait for nothing.
 *
 * @param silentAfterMs how long the reply may take
 * @throws {Error} if it does not answer before the signal aborts, or is not in cluster mode; that is a
 *   StoreError of kind `rejected`, because waiting does not help
 */
export async function askForTopology(
  link: RedisLink,
  signal: AbortSignal,
  silentAfterMs: number,
): Promise<Topology> {
  const { client, address } = link;
  const asked = Promise.all([
    client.sendCommand(['CLUSTER', 'SLOTS']),
    client.sendCommand(['CLUSTER', 'INFO']).then(toText, toNothingIfRefused),
  ]);
  const settled = endIfSilent(link, { clock: processClock, afterMs: silentAfterMs });
  asked.then(settled, settled);
  try {
    const [slots, info] = await race(asked, { signals: [signal] }, () => {
      throw new Error('no answer in time');
    });
    return { ...parseInfo(info), ranges: parseSlots(slots, address) };
  } catch (error) {
    throw isRefused(error) ? notInClusterMode(error) : error;
  }
}

/**
 * The best of several answers: of nodes that serve, the one that knows the latest change. A master
 * that is cut off with a minority still tells what was true before.
 */
export function bestOf(topologies: readonly Topology[]): Topology | undefined {
  const score = ({ isServed, epoch }: Topology): number => (isServed ? epoch + 1 : 0);
  return [...topologies].sort((one, other) => score(other) - score(one))[0];
}

function toNothingIfRefused(error: unknown): string {
  if (isRefused(error)) return '';
  throw error;
}

function parseInfo(text: string): Pick<Topology, 'isServed' | 'epoch'> {
  const isServed = !/^cluster_state:fail/m.test(text);
  return { isServed, epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(text)?.[1] ?? 0) };
}

/** Reads the reply to CLUSTER SLOTS. Ranges whose master has no known address are left out. */
export function parseSlots(reply: unknown, asked: RedisAddress): readonly SlotRange[] {
  if (!Array.isArray(reply)) throw new Error('Redis gave an unexpected reply to CLUSTER SLOTS');
  return reply.flatMap((entry: unknown) => {
    if (!Array.isArray(entry)) return [];
    const [first, last, node] = entry as unknown[];
    const master = toAddress(node, asked);
    if (!isSlot(first) || !isSlot(last) || master === undefined) return [];
    return [{ first, last, master }];
  });
}

/**
 * A node without a host is to be reached as the node that was asked, and one that has not announced the hostname that it
 * should have (`?`) by its IP address, which Redis 7 tells besides.
 */
function toAddress(node: unknown, asked: RedisAddress): RedisAddress | undefined {
  if (!Array.isArray(node)) return undefined;
  const [told, port, , facts] = node as unknown[];
  const host = told === '?' ? ipIn(facts) : told;
  if (typeof port !== 'number' || port < 1 || (told === '?' && host === undefined)) {
    return undefined;
  }
  return { host: typeof host === 'string' && host !== '' ? host : asked.host, port };
}

/** The IP address in a list of names and values. */
function ipIn(facts: unknown): unknown {
  if (!Array.isArray(facts)) return undefined;
  const at = facts.indexOf('ip');
  return at === -1 ? undefined : (facts as unknown[])[at + 1];
}

function isSlot(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < SLOTS;
}

function notInClusterMode(cause: unknown): StoreError {
  return new StoreError(
    'redisType is cluster, but this Redis is not in cluster mode, or its user may not run CLUSTER',
    { kind: 'rejected', outcome: 'not-applied', cause },
  );
}
