import { readFileSync } from 'node:fs';

import { describeFileError } from '../base/file-error';
import { connect } from '../client/connect';
import type { Locks } from '../client/locks';
import { StoreLocks } from '../client/store-locks';
import type * as ownCalls from '../app/own-lock-calls';
import { UsageError } from './exit-codes';

/** Where the locks are: a sidecar, or stores of this process. */
export interface PlaceOptions {
  readonly store: string;
  readonly address?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Folders with component files: then there is no sidecar. */
  readonly components?: readonly string[];
  readonly appId: string;
}

/** How long a call may take beside the time that it waits for a lock, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Opens the locks that the options of a command name.
 *
 * @param say writes a line for people
 * @throws {UsageError} if options contradict each other, or a file can't be used
 * @throws {LockUnreachableError} if the store of a component can't be reached
 */
export async function openLocks(
  options: PlaceOptions,
  say: (line: string) => void,
): Promise<Locks> {
  const { store, address, components } = options;
  if (components === undefined) return connect({ store, address, tls: readTls(options) });
  if (address !== undefined)
    throw new UsageError('--address and --components cannot be used together');
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few commands have stores of their own
  const { openOwnLockCalls } = require('../app/own-lock-calls') as typeof ownCalls;
  const { appId } = options;
  const environment = process.env;
  const calls = await openOwnLockCalls({ folders: components, store, appId, environment, say });
  return new StoreLocks({ calls, storeName: store, timeoutMs: TIMEOUT_MS });
}

function readTls({ tlsCa, tlsCert, tlsKey }: PlaceOptions) {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key go together');
  }
  return { ca: readPem(tlsCa), cert: readPem(tlsCert), key: readPem(tlsKey) };
}

function readPem(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UsageError(`${file}: ${describeFileError(cause)}`, { cause });
  }
}
