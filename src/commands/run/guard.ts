import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Reads the id of a group, and then ends the group when its standard input ends without another word: whoever should
 * have written one is dead.
 */
const SCRIPT = 'read -r group && { read -r _ || kill -s KILL -- "-$group"; }';

/**
 * Watches over a process group for the case that this process is killed: its lock is free then, so that the group must
 * not go on. A shell waits at the end of a pipe. Where there is no shell, nothing watches.
 *
 * Create the guard before the command is started, so that nothing but one write lies between the start and the watch:
 * some milliseconds on a busy machine. A shell that starts the command only when it is watched would close that gap, but
 * a shell passes on no variable whose name it can't read itself.
 */
export class Guard {
  readonly #shell: ChildProcessByStdio<Writable, null, null>;

  constructor() {
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'holdfast-guard'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: {},
    });
    this.#shell.on('error', () => undefined);
    this.#shell.stdin.on('error', () => undefined);
    this.#shell.unref();
  }

  /** Begins the watch. The first bytes of a pipe are written at once, before this returns. */
  watch(groupId: number): void {
    this.#shell.stdin.write(`${groupId}\n`);
  }

  /** Ends the watch. Call it when the group has ended, or was never started. */
  close(): void {
    this.#shell.stdin.end('over\n');
  }
}
