import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

import { EXIT } from '../exit-codes';

/** A command that could not be started. */
export class CommandStartError extends Error {
  override readonly name = 'CommandStartError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The options of a process group. */
export interface GroupOptions {
  /** The command and its arguments. */
  readonly command: readonly string[];
  /** True to give them to a shell as one line. */
  readonly isShell: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** How often to look whether processes are left, in milliseconds. */
const LOOK_EVERY_MS = 10;

/** A command and its children, in a process group of their own. */
export class ProcessGroup {
  /** The id of the group, which is that of the command. */
  readonly id: number;
  /** Resolves with the command's exit code, or 128 + the signal that ended it, as shells say it. */
  readonly exited: Promise<number>;
  /** The member that was found last. While it lives, no other has to be looked for. */
  #lastMember: string | undefined;

  private constructor(child: ChildProcess, id: number) {
    this.id = id;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  }

  /**
   * Starts a command, whose input and output are those of this process.
   *
   * @throws {CommandStartError} if it can't be started
   */
  static async start({ command, isShell, env }: GroupOptions): Promise<ProcessGroup> {
    const [file = '', ...args] = isShell ? ['/bin/sh', '-c', command.join(' ')] : command;
    const child = spawn(file, args, { stdio: 'inherit', detached: true, env });
    // A command may end before this function returns.
    const group = new ProcessGroup(child, child.pid ?? 0);
    if (child.pid !== undefined) return group;
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    const isMissing = error.code === 'ENOENT';
    const reason = isMissing ? 'there is no such command' : `it can't be executed (${error.code})`;
    throw new CommandStartError(
      `${file}: ${reason}`,
      isMissing ? EXIT.notFound : EXIT.notExecutable,
    );
  }

  /**
   * Sends a signal to all processes of the group.
   *
   * @returns false if none is left, or none that may be signalled
   */
  signal(name: NodeJS.Signals): boolean {
    try {
      return process.kill(-this.id, name);
    } catch (error) {
      if (!isErrno(error, 'ESRCH', 'EPERM')) throw error;
      return false;
    }
  }

  /** True while a process of the group runs, the command or what it has started. */
  get isAlive(): boolean {
    try {
      process.kill(-this.id, 0);
    } catch (error) {
      // The rest is another user's.
      if (!isErrno(error, 'EPERM')) return false;
    }
    return !this.#hasOnlyZombies();
  }

  /**
   * Waits until no process is left, for a while, and no longer than until one of the signals aborts.
   * Resolves with true if none is left.
   */
  async whenEmpty(withinMs: number, signals: readonly AbortSignal[] = []): Promise<boolean> {
    const until = performance.now() + withinMs;
    while (this.isAlive) {
      if (performance.now() >= until || signals.some(({ aborted }) => aborted)) return false;
      await pause(LOOK_EVERY_MS);
    }
    return true;
  }

  /**
   * A process that has ended stays in its group until its parent looks, and the parent of an orphan in a container may
   * be a process that never does. Only Linux tells, by /proc.
   */
  #hasOnlyZombies(): boolean {
    if (this.#lastMember !== undefined && this.#isMember(this.#lastMember)) return false;
    try {
      const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
      this.#lastMember = ids.find((id) => this.#isMember(id));
      return this.#lastMember === undefined;
    } catch {
      return false;
    }
  }

  #isMember(id: string): boolean {
    try {
      const text = readFileSync(`/proc/${id}/stat`, 'latin1');
      // The name, in brackets, may contain anything.
      const [state, , groupId] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return Number(groupId) === this.id && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  }
}

function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
