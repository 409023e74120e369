import { createClient, ErrorReply } from 'redis';

import { processClock } from '../../base/clock';
import type { Link, SendFailure } from '../attempts/link';
import { ServerClock } from '../attempts/server-clock';
import { readDataEpoch } from './data-epoch';
import { whenAborted } from './deadline';
import { type RedisAddress, toAddressText } from './redis-address';
import { signIn } from './redis-auth';
import { isHopeless, isReadOnly, isRefused, toReplyText, toStoreError } from './redis-errors';
import type { RedisSettings } from './redis-settings';
import { type RedisTls, toTlsOptions } from './redis-tls';
import { boundReplies } from './reply-bound';
import { readTime } from './server-time';

/** A node-redis client as this room uses it. */
export type RedisClient = ReturnType<typeof toClient>;

/** What the handshake has learned of the server. */
export interface ServerFacts {
  /** Undefined where the user may not ask for the time: then no send can be bounded by it. */
  readonly clock: ServerClock | undefined;
  /** See {@link readDataEpoch}. */
  readonly dataEpoch: string | undefined;
  /** True where a password was sent and the server asks for none. */
  readonly isPasswordUnused: boolean;
}

/** What Redis is called in texts for users. */
export const SERVER_NAME = 'Redis';

/** One connection to Redis, from its handshake to its end; it never reconnects. */
export interface RedisLink extends ServerFacts, Link {
  readonly client: RedisClient;
  /** Whom it leads to. */
  readonly address: RedisAddress;
  /** Resolves with the reason once the connection has ended. */
  readonly ended: Promise<Error>;
}

/**
 * Opens a connection: TCP, TLS, AUTH, SELECT and a PING, all within the signal's time. node-redis
 * bounds only the first of these: `connect()` to a server that accepts and says nothing
 * stays pending for ever.
 *
 * A link never reconnects by itself: node-redis would send commands again that were queued while
 * it was away, and after a time-out its replies could no longer be trusted.
 */
export async function openLink(
  settings: RedisSettings,
  address: RedisAddress,
  signal: AbortSignal,
): Promise<RedisLink> {
  const client = toClient(settings, address);
  const link = watch(client);
  try {
    const over = [rejectWhenAborted(signal), link.ended.then(raise)];
    return link.after(await Promise.race([handshake(client, settings), ...over]), address);
  } catch (cause) {
    const error = withAddress(cause, address);
    link.end(error);
    throw error;
  }
}

/** An error that says whom it is about: most of node-redis's and of Redis's own don't. */
export function withAddress(cause: unknown, address: RedisAddress): Error {
  const text = toReplyText(cause);
  const where = toAddressText(address);
  if (text.includes(where)) return cause instanceof Error ? cause : new Error(text, { cause });
  return new Error(`${text === '' ? codeOf(cause) : text} (${where})`, { cause });
}

/** Node gives the errors of several addresses of one host no text in common. */
function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'no reason given';
}

function toClient({ tls }: RedisSettings, address: RedisAddress) {
  return createClient({
    ...toConnectOptions(address, tls),
    // It would end once a command is written, and costs a timer a command; see RedisConnection.
    commandOptions: { timeout: 0 },
  });
}

/**
 * Bytes of commands that node-redis writes in one turn of the event loop. By default it is 16 KiB, some
 * 55 calls: where a turn takes 100 ms, as under overload, that is 550 calls a second, and calls that
 * were let in wait until their time-out. They are in memory before, so that a larger one costs none.
 */
const WRITTEN_IN_A_TURN_BYTES = 2 ** 20;

/** What every client of ours is opened with, those to Sentinels included. */
export function toConnectOptions({ host, port }: RedisAddress, tls: RedisTls | undefined) {
  const socket = {
    host,
    port,
    reconnectStrategy: false as const,
    connectTimeout: 0,
    highWaterMark: WRITTEN_IN_A_TURN_BYTES,
  };
  return {
    socket: tls === undefined ? socket : { ...socket, ...toTlsOptions(tls) },
    disableOfflineQueue: true,
    // RESP2 and nothing that a narrow ACL would refuse: what daprd needs is enough for us.
    RESP: 2 as const,
    disableClientInfo: true,
    maintNotifications: 'disabled' as const,
  };
}

/** Ends the link with the first reason that shows. */
function watch(client: RedisClient) {
  let endReason: Error | undefined;
  let resolveEnded: (reason: Error) => void;
  const ended = new Promise<Error>((resolve) => {
    resolveEnded = resolve;
  });
  const end = (reason: Error): void => {
    if (endReason !== undefined) return;
    endReason = reason;
    client.destroy();
    resolveEnded(reason);
  };
  boundReplies(client, end);
  // Also on bytes that are no RESP: node-redis would go on, with the replies one off.
  client.on('error', end);
  client.on('end', () => {
    end(new Error('the connection was closed'));
  });
  const after = (facts: ServerFacts, address: RedisAddress): RedisLink => ({
    ...facts,
    serverName: SERVER_NAME,
    address,
    client,
    ended,
    end,
    readDataEpoch: () => readDataEpoch(client),
    explain: (error) => explain(error, endReason),
    get endReason() {
      return endReason;
    },
  });
  return { ended, end, after };
}

function explain(error: unknown, endReason: Error | undefined): SendFailure {
  return {
    error: toStoreError(error, endReason),
    hopeless: isHopeless(error) ? toReplyText(error) : undefined,
    // The next connection may lead to the master that has taken over.
    useless: isReadOnly(error) ? new Error('this Redis has become a read-only replica') : undefined,
  };
}

async function handshake(client: RedisClient, settings: RedisSettings): Promise<ServerFacts> {
  const { sentinel, database } = settings;
  await client.connect();
  const isPasswordUnused = !(await signIn(client, settings));
  const [, , clock, dataEpoch] = await Promise.all([
    database === 0 ? undefined : client.select(database),
    sentinel === undefined ? ping(client) : assertMaster(client),
    readClock(client),
    readDataEpoch(client),
  ]);
  return { clock, dataEpoch, isPasswordUnused };
}

async function ping(client: RedisClient): Promise<void> {
  try {
    await client.ping();
  } catch (error) {
    // Where PING may not be run there is an answer all the same, and that is what this is for.
    if (!isRefused(error)) throw error;
  }
}

/** Sentinels name the old master until they agree on another, and it may be a replica by then. */
async function assertMaster(client: RedisClient): Promise<void> {
  await ping(client);
  try {
    const answer = await client.role();
    if (answer?.role !== 'master') throw new Error('the Redis that Sentinel named is not a master');
  } catch (error) {
    // Who may not ask finds out by the first write.
    if (!isRefused(error)) throw error;
  }
}

async function readClock(client: RedisClient): Promise<ServerClock | undefined> {
  try {
    return await ServerClock.of({ ask: () => readTime(client), clock: processClock });
  } catch (error) {
    if (error instanceof ErrorReply) return undefined;
    throw error;
  }
}

function raise(error: Error): never {
  throw error;
}

/** Rejects once a signal has aborted. */
export async function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  await whenAborted(signal);
  throw new Error('no answer in time');
}
