import { type Command, Option } from 'commander';

import { LockLostError } from '../../client/client-errors';
import type { LockInfo } from '../../client/lock-calls';
import type { Lease, Locks } from '../../client/locks';
import { EXIT } from '../exit-codes';
import { openLocks, type PlaceOptions } from '../open-locks';
import { durationWithin, numberWithin, someText, TTL_BOUNDS, WAIT_BOUNDS } from '../option-values';
import {
  addCommand,
  addPlaceOptions,
  addRequired,
  type CommandContext,
  type Plan,
} from '../program';
import { forceRelease } from './force-release';
import { hasColours, toDetails, toTable } from './table';
import { WaitingProgress } from '../waiting/waiting-progress';
import { watch } from './watch';

/** The options of all of these commands. */
interface LocksOptions extends PlaceOptions {
  readonly output: 'table' | 'json';
  readonly prefix: string;
  readonly ttl: number;
  readonly wait: number;
  readonly interval: number;
  readonly owner?: string;
  readonly token?: number;
  readonly reason: string;
  readonly yes?: true;
  readonly quiet?: true;
}

/** The parts that a command works with. */
interface LocksWork {
  readonly locks: Locks;
  readonly options: LocksOptions;
  readonly context: CommandContext;
  readonly resource: string;
}

const HELP = `
Exit codes: 0, 1 the lock is free or nothing was released, 64 usage, 69 sidecar
or store unreachable, 75 not acquired, 76 the grant does not have the lock any
more, 77 not permitted.`;

/** Adds `holdfast locks` and what can be done with them. */
export function addLocks(program: Command, context: CommandContext, plan: Plan): void {
  const parent = addCommand(program, 'locks', 'look at locks, take them and free them')
    .enablePositionalOptions()
    .addHelpText('after', HELP);
  const add = (name: string, description: string, work: (work: LocksWork) => Promise<number>) => {
    const command = addPlaceOptions(addCommand(parent, name, description)).addOption(
      new Option('--output <format>', 'for people or for programs')
        .choices(['table', 'json'])
        .default('table'),
    );
    command.action((first: string | LocksOptions) => {
      const options = command.opts<LocksOptions>();
      const resource = typeof first === 'string' ? first : '';
      plan(() => withLocks({ options, context, resource }, work));
    });
    return command;
  };
  addViews(add);
  addLeases(add);
  const freeing = add('force-release <resource>', 'free a lock whose holder is gone', force);
  addRequired(freeing, textOption('--reason <text>', 'why, for the log of the sidecar'))
    .option('--token <number>', 'the token of the grant that you have looked at', TOKEN_OR_NONE)
    .option('--yes', 'do not ask; needs --token');
}

type Add = (
  name: string,
  description: string,
  work: (work: LocksWork) => Promise<number>,
) => Command;

const TOKEN = numberWithin({ least: 1, most: Number.MAX_SAFE_INTEGER });
const TOKEN_OR_NONE = numberWithin({ least: 0, most: Number.MAX_SAFE_INTEGER });

function addViews(add: Add): void {
  add('list', 'the held locks', list).option('--prefix <text>', 'only resources that begin so', '');
  add('show <resource>', 'who holds a lock', show);
  add('watch', 'the held locks, again and again', watchUntilAsked)
    .option('--prefix <text>', 'only resources that begin so', '')
    .addOption(
      new Option('--interval <duration>', 'time between two looks')
        .default(1000, '1s')
        .argParser(durationWithin({ least: 100, most: WAIT_BOUNDS.most })),
    );
}

function addLeases(add: Add): void {
  const ttl = () =>
    new Option('--ttl <duration>', 'length of the lease')
      .default(30_000, '30s')
      .argParser(durationWithin(TTL_BOUNDS));
  add('acquire <resource>', 'take a lock as a lease that nobody renews', acquire)
    .addOption(ttl())
    .addOption(
      new Option('--wait <duration>', 'how long to wait for the lock')
        .default(0, '0: not at all')
        .argParser(durationWithin(WAIT_BOUNDS)),
    )
    .option('--owner <name>', 'name of the holder (default: host-pid-random)', someText)
    .option('--quiet', 'do not tell how the wait goes');
  const owner = () => textOption('--owner <name>', 'name of the holder');
  addRequired(add('renew <resource>', 'prolong a lease', renew).addOption(ttl()), owner()).option(
    '--token <number>',
    'token of the lease, to renew no other',
    TOKEN,
  );
  addRequired(add('release <resource>', 'release a lock', release), owner()).option(
    '--token <number>',
    'token of the lease, to release no other',
    TOKEN,
  );
}

function textOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(someText);
}

async function withLocks(
  work: Omit<LocksWork, 'locks'>,
  run: (work: LocksWork) => Promise<number>,
): Promise<number> {
  const locks = await openLocks(work.options, work.context.say);
  try {
    return await run({ ...work, locks });
  } finally {
    await locks.close();
  }
}

async function list({ locks, options, context }: LocksWork): Promise<number> {
  const found: LockInfo[] = [];
  for await (const lock of locks.list({ prefix: options.prefix, pageSize: 1000 })) found.push(lock);
  const { stdout, env } = context;
  if (options.output === 'json') stdout.write(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) context.say(toNoLocks(options));
  else stdout.write(toTable(found, hasColours(stdout, env)));
  return EXIT.ok;
}

function toNoLocks({ prefix, store }: LocksOptions): string {
  const which = prefix === '' ? '' : ` that begins with ${JSON.stringify(prefix)}`;
  return `no lock${which} is held in ${store}`;
}

async function show({ locks, options, context, resource }: LocksWork): Promise<number> {
  const lock = await locks.get(resource);
  if (options.output === 'json') context.stdout.write(`${JSON.stringify(lock ?? null)}\n`);
  else if (lock !== undefined) context.stdout.write(toDetails(lock));
  else context.say(`nobody holds ${JSON.stringify(resource)}`);
  return lock === undefined ? EXIT.no : EXIT.ok;
}

async function acquire(work: LocksWork): Promise<number> {
  const { locks, resource, context } = work;
  const { ttl: ttlMs, wait: waitMs, owner, quiet: isQuiet = false } = work.options;
  const progress = new WaitingProgress({ locks, resource, waitMs, isQuiet }, context);
  const taking = locks.acquire(resource, { ttlMs, waitMs, owner });
  const lease = await taking.finally(() => {
    progress.end();
  });
  return tellLease(work, lease);
}

async function renew(work: LocksWork): Promise<number> {
  const { ttl: ttlMs, owner = '', token } = work.options;
  return tellLease(work, await work.locks.renew(work.resource, { owner, token, ttlMs }));
}

/** The names are those of the API. */
function tellLease({ options, context: { stdout } }: LocksWork, lease: Lease): number {
  const { resourceId, owner: lockOwner, token: fencingToken, validForMs: validMs } = lease;
  if (options.output === 'json') {
    stdout.write(`${JSON.stringify({ resourceId, lockOwner, fencingToken, validMs })}\n`);
  } else {
    const lock = {
      resourceId,
      lockOwner,
      fencingToken,
      ttlMs: validMs,
      expiresAtMs: 0,
      waiters: 0,
    };
    stdout.write(toDetails(lock).replace(/waiters.*\n/, ''));
  }
  return EXIT.ok;
}

async function release({ locks, options, context, resource }: LocksWork): Promise<number> {
  const { owner = '', token, output } = options;
  const status = await locks.release(resource, { owner, token });
  if (output === 'json') context.stdout.write(`${JSON.stringify({ status })}\n`);
  if (status === 'RELEASED') return EXIT.ok;
  if (output === 'json') return EXIT.lost;
  throw new LockLostError(resource, status === 'NOT_FOUND' ? 'EXPIRED' : 'TAKEN_OVER');
}

async function force({ locks, options, context, resource }: LocksWork): Promise<number> {
  const { reason, token, yes, output } = options;
  const request = { locks, resource, reason, token, isAgreed: yes ?? false };
  const { code, status, lock, sentence } = await forceRelease(request, context);
  if (output === 'json')
    context.stdout.write(`${JSON.stringify({ status, lock: lock ?? null })}\n`);
  else context.say(sentence);
  return code;
}

async function watchUntilAsked({ locks, options, context }: LocksWork): Promise<number> {
  const { prefix, interval: intervalMs, output } = options;
  const asked = new AbortController();
  const stop = (): void => {
    asked.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.once(name, stop);
  // Nobody reads any more, as with `| head`.
  context.stdout.once('error', stop);
  try {
    const isJson = output === 'json';
    return await watch({ locks, prefix, intervalMs, isJson, signal: asked.signal }, context);
  } finally {
    for (const name of signals) process.off(name, stop);
  }
}
