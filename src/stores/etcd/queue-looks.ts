import { type EtcdKeys, parseValue } from './etcd-keys';
import type { EtcdLink } from './etcd-link';

/** How many locks are looked at in one transaction: etcd allows 128 operations by default. */
const LOCKS_A_TRANSACTION = 100;

/** The first ticket of a queue. */
export interface Head {
  /** Empty if nobody waits. */
  readonly attemptId: string;
  /** The attempt that holds the lock. Undefined if nobody does. */
  readonly holder: string | undefined;
}

/** Reads who leads a queue, and who holds its lock. */
export async function findHead(link: EtcdLink, keys: EtcdKeys, name: string): Promise<Head> {
  const { responses } = await link.call(link.api.txn, {
    compare: [],
    success: [
      { requestRange: { key: keys.lock(name) } },
      { requestRange: { ...keys.queue(name), limit: 1, keysOnly: true } },
    ],
  });
  const [held, first] = responses.map(({ responseRange }) => responseRange?.kvs[0]);
  return {
    attemptId: first === undefined ? '' : keys.attemptOf(first.key),
    holder: held === undefined ? undefined : parseValue(held.value).attemptId,
  };
}

/** The locks among these that nobody holds. */
export async function findFree(
  link: EtcdLink,
  keys: EtcdKeys,
  names: readonly string[],
): Promise<readonly string[]> {
  const parts: Promise<readonly string[]>[] = [];
  for (let at = 0; at < names.length; at += LOCKS_A_TRANSACTION) {
    parts.push(findFreePart(link, keys, names.slice(at, at + LOCKS_A_TRANSACTION)));
  }
  return (await Promise.all(parts)).flat();
}

async function findFreePart(
  link: EtcdLink,
  keys: EtcdKeys,
  names: readonly string[],
): Promise<readonly string[]> {
  const { responses } = await link.call(link.api.txn, {
    compare: [],
    success: names.map((name) => ({ requestRange: { key: keys.lock(name), countOnly: true } })),
  });
  return names.filter((_, index) => responses[index]?.responseRange?.count === '0');
}
