import { type Command, Option } from 'commander';

import { openLocks, type PlaceOptions } from '../open-locks';
import { EXIT, UsageError } from '../exit-codes';
import { LockNotAcquiredError } from '../../client/client-errors';
import { durationWithin, numberWithin, someText, TTL_BOUNDS, WAIT_BOUNDS } from '../option-values';
import {
  addCommand,
  addPlaceOptions,
  addRequired,
  type CommandContext,
  type Plan,
} from '../program';
import { WaitingProgress } from '../waiting/waiting-progress';
import { runUnderLock } from './run-under-lock';

/** The options of `holdfast run`. */
interface RunOptions extends PlaceOptions {
  readonly resource: string;
  readonly ttl: number;
  readonly wait: number;
  readonly owner?: string;
  readonly grace?: number;
  readonly conflictExitCode: number;
  readonly shell?: true;
  readonly quiet?: true;
}

const DEFAULT_GRACE_MS = 5000;

const HELP = `
The command runs in a process group of its own. Its environment has
HOLDFAST_FENCING_TOKEN, HOLDFAST_LOCK_OWNER, HOLDFAST_RESOURCE and
HOLDFAST_STORE.

Exit codes: that of the command, or 64 usage, 69 sidecar or store unreachable,
75 not acquired, 76 the lock was lost, 77 not permitted, 126 and 127 the command
can't be started.

Example:
  holdfast run --resource nightly --wait 10m -- ./backup.sh --full`;

/** Adds `holdfast run`. */
export function addRun(program: Command, context: CommandContext, plan: Plan): void {
  const command = addCommand(program, 'run', 'hold a lock while a command runs')
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions();
  addRequired(command, new Option('--resource <id>', 'what to lock').argParser(someText));
  addPlaceOptions(command)
    .addOption(
      new Option('--ttl <duration>', 'length of the lease, which is renewed while the command runs')
        .default(30_000, '30s')
        .argParser(durationWithin(TTL_BOUNDS)),
    )
    .addOption(
      new Option('--wait <duration>', 'how long to wait for the lock')
        .default(0, '0: not at all')
        .argParser(durationWithin(WAIT_BOUNDS)),
    )
    .option('--owner <name>', 'name of the holder (default: host-pid-random)', someText)
    .addOption(
      new Option(
        '--grace <duration>',
        'time between SIGTERM and SIGKILL, at most half of --ttl (default: 5s, or a third of --ttl)',
      ).argParser(durationWithin({ least: 0, most: TTL_BOUNDS.most })),
    )
    .addOption(
      new Option('--conflict-exit-code <number>', 'exit code if the lock was not acquired')
        .default(EXIT.notAcquired)
        .argParser(numberWithin({ least: 0, most: 255 })),
    )
    .option('--shell', 'give the command to /bin/sh as one line')
    .option('--quiet', 'do not tell how the wait goes')
    .addHelpText('after', HELP)
    .action((words: readonly string[], options: RunOptions) => {
      plan(() => run(words, options, context));
    });
}

async function run(
  command: readonly string[],
  options: RunOptions,
  context: CommandContext,
): Promise<number> {
  const { env, say } = context;
  const { store, resource, owner, ttl: ttlMs, wait: waitMs, conflictExitCode } = options;
  const graceMs = toGrace(options);
  const isShell = options.shell ?? false;
  const isQuiet = options.quiet ?? false;
  const locks = await openLocks(options, say);
  try {
    const waiting = new WaitingProgress({ locks, resource, waitMs, isQuiet }, context);
    const lock = { store, resource, owner, ttlMs, waitMs, graceMs };
    return await runUnderLock({ locks, ...lock, command, isShell, env, say, waiting });
  } catch (error) {
    if (!(error instanceof LockNotAcquiredError)) throw error;
    say(error.message);
    return conflictExitCode;
  } finally {
    await locks.close();
  }
}

/**
 * The lease is renewed when a third of it has passed. With a grace beyond half of it, a single late renewal would end
 * the command.
 */
function toGrace({ grace, ttl }: RunOptions): number {
  if (grace === undefined) return Math.min(DEFAULT_GRACE_MS, ttl / 3);
  if (grace <= ttl / 2) return grace;
  throw new UsageError(
    `--grace ${grace / 1000}s is too long for --ttl ${ttl / 1000}s: at most half of it is allowed`,
  );
}
