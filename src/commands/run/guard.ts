import { spawn } from 'node:child_process';

/** Ends the group when its standard input ends without a word: whoever should have written one is dead. */
const SCRIPT = 'read -r _ || kill -s KILL -- "-$1"';

/**
 * Watches over a process group for the case that this process is killed: its lock is free then, so that the group must
 * not go on. A shell waits at the end of a pipe. Where there is no shell, nothing watches.
 *
 * @returns a function that ends the watch; call it when the group has ended
 */
export function guard(groupId: number): () => void {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'holdfast-guard', String(groupId)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return () => {
    shell.stdin.end('over\n');
  };
}
