import { createClient, ErrorReply } from 'redis';

import { processClock } from '../../base/clock';
import { race } from '../../base/race';
import type { Link, SendFailure } from '../attempts/link';
import { ServerClock } from '../attempts/server-clock';
import { readDataEpoch } from './data-epoch';
import { type RedisAddress, toAddressText } from './redis-address';
import { signIn } from './redis-auth';
import { isHopeless, isReadOnly, isRefused, toReplyText, toStoreError } from './redis-errors';
import type { RedisSettings } from './redis-settings';
import { type RedisTls, toTlsOptions } from './redis-tls';
import { boundReplies } from './reply-bound';
import { readTime } from './server-time';

/** A node-redis client as this folder uses it. */
export type RedisClient = ReturnType<typeof toClient>;

/** The server's properties from the handshake. */
export interface ServerFacts {
  /** Undefined if the user may not run TIME. Sends can't be limited by the server's time then. */
  readonly clock: ServerClock | undefined;
  /** See {@link readDataEpoch}. */
  readonly dataEpoch: string | undefined;
  /** True if a password was sent although the server requires none. */
  readonly isPasswordUnused: boolean;
}

/** The server's name in messages for users. */
export const SERVER_NAME = 'Redis';

/** A connection to Redis, from its handshake to its end. It never reconnects. */
export interface RedisLink extends ServerFacts, Link {
  readonly client: RedisClient;
  /** The address of the server. */
  readonly address: RedisAddress;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<Error>;
}

/**
 * Opens a connection: TCP, TLS, AUTH, SELECT and PING, all within the time of the signal.
 * node-redis limits only the first of these steps: its `connect()` never settles if a server
 * accepts the connection and does not answer.
 *
 * A link never reconnects by itself. node-redis would send commands again that were queued while
 * the server was away, and its replies could not be trusted after a timeout.
 */
export async function openLink(
  settings: RedisSettings,
  address: RedisAddress,
  signal: AbortSignal,
): Promise<RedisLink> {
  const client = toClient(settings, address);
  const link = watch(client);
  try {
    const answered = Promise.race([handshake(client, settings), link.ended.then(raise)]);
    return link.after(await race(answered, { signals: [signal] }, throwUnanswered), address);
  } catch (cause) {
    const error = withAddress(cause, address);
    link.end(error);
    throw error;
  }
}

/**
 * Adds the server's address to an error. Most errors of node-redis and of Redis do not contain it.
 */
export function withAddress(cause: unknown, address: RedisAddress): Error {
  const text = toReplyText(cause);
  const where = toAddressText(address);
  if (text.includes(where)) return cause instanceof Error ? cause : new Error(text, { cause });
  return new Error(`${text === '' ? codeOf(cause) : text} (${where})`, { cause });
}

/** If a host has several addresses, Node's errors for them have no message in common. */
function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'no reason given';
}

/** Creates the client of a link. It is not connected. */
export function toClient({ tls }: RedisSettings, address: RedisAddress) {
  return createClient({
    ...toConnectOptions(address, tls),
    // node-redis's timeout would end once a command is written, and would cost a timer per command.
    // See OneLink.
    commandOptions: outsideOfKey({ timeout: 0 }),
  });
}

/**
 * Keeps options out of the key by which node-redis finds the class for a new client: all options as
 * JSON. It keeps one class only, and creating another takes 10 ms and more of the processor, during
 * which no call is served. Without this, every connection to another address would cost that: a
 * cluster or some Sentinels that are away would keep the sidecar from everything else.
 */
function outsideOfKey<T extends object>(options: T): T {
  return { ...options, toJSON: () => undefined };
}

/**
 * Maximum bytes of commands that node-redis writes in one turn of the event loop. Its default of 16
 * KiB holds about 55 calls. If a turn takes 100 ms, as under overload, that is only 550 calls a
 * second, and admitted calls wait until they time out. The commands are in memory anyway, so a
 * larger value needs no additional memory.
 */
const WRITTEN_IN_A_TURN_BYTES = 2 ** 20;

/** The connection options of all our clients, including those to Sentinels. */
export function toConnectOptions({ host, port }: RedisAddress, tls: RedisTls | undefined) {
  const socket = {
    host,
    port,
    reconnectStrategy: false as const,
    connectTimeout: 0,
    highWaterMark: WRITTEN_IN_A_TURN_BYTES,
  };
  return {
    socket: outsideOfKey(tls === undefined ? socket : { ...socket, ...toTlsOptions(tls) }),
    disableOfflineQueue: true,
    // RESP2, and no command that a narrow ACL would refuse: the permissions that daprd needs are
    // enough.
    RESP: 2 as const,
    disableClientInfo: true,
    maintNotifications: 'disabled' as const,
  };
}

/** Ends the link with the first reason that occurs. */
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
  // Also for bytes that are not RESP. node-redis would continue with replies shifted by one.
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
    // The next connection may lead to the new master.
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
    // A refused PING is also an answer, and that is all that is needed here.
    if (!isRefused(error)) throw error;
  }
}

/**
 * Sentinels name the old master until they agree on a new one. By then the old one may be a
 * replica.
 */
async function assertMaster(client: RedisClient): Promise<void> {
  await ping(client);
  try {
    const answer = await client.role();
    if (answer?.role !== 'master') throw new Error('the Redis that Sentinel named is not a master');
  } catch (error) {
    // If the user may not run this, the first write shows whether it is a replica.
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

/** Throws the error of a server that has not answered in time. */
export function throwUnanswered(): never {
  throw new Error('no answer in time');
}
