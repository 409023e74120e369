import { EndpointError } from '../client/endpoint';
import {
  LockLostError,
  LockNotAcquiredError,
  LockRejectedError,
  LockUnreachableError,
} from '../client/client-errors';

/**
 * The exit codes of the commands, beside those of a command that runs under a lock. The names are those of BSD's
 * sysexits.h; docs/command-line.md lists them, and a test compares.
 */
export const EXIT = {
  ok: 0,
  /** `check` found something, or a lock that was looked for is free. */
  no: 1,
  /** EX_USAGE: the command line, or a value of it that the sidecar refused. */
  usage: 64,
  /** EX_UNAVAILABLE: sidecar or store can't be reached, or can't do this. */
  unavailable: 69,
  /** EX_SOFTWARE: a defect. */
  defect: 70,
  /** EX_TEMPFAIL: somebody else has the lock. */
  notAcquired: 75,
  /** EX_PROTOCOL: the lock was lost. */
  lost: 76,
  /** EX_NOPERM: the API token is wrong, or the configuration denies the call. */
  denied: 77,
  /** The command exists and can't be executed, as shells say it. */
  notExecutable: 126,
  /** There is no such command, as shells say it. */
  notFound: 127,
} as const;

/** A command line that can't be carried out. The message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit code of a command that failed; undefined for a defect. */
export function toExitCode(error: unknown): number | undefined {
  if (error instanceof UsageError || error instanceof EndpointError) return EXIT.usage;
  if (error instanceof LockNotAcquiredError) return EXIT.notAcquired;
  if (error instanceof LockLostError) return EXIT.lost;
  if (error instanceof LockUnreachableError) return EXIT.unavailable;
  if (error instanceof LockRejectedError) return BY_STATUS[error.code] ?? EXIT.unavailable;
  return undefined;
}

const BY_STATUS: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: EXIT.usage,
  FAILED_PRECONDITION: EXIT.usage,
  UNAUTHENTICATED: EXIT.denied,
  PERMISSION_DENIED: EXIT.denied,
};
