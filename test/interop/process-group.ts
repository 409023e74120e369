import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { withoutDapr } from '../support/plain-environment';

/** A program to run and its arguments. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment of this process, of which nothing that Dapr reads is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** When a group is ended that does not end by itself. */
export interface GroupLimits {
  /** How long it may take, in milliseconds. */
  readonly withinMs: number;
  /** Ends it earlier, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Why a group did not end well. */
export interface BadEnd {
  readonly reason: string;
  /** Where the program could not even be started. */
  readonly cause?: Error;
}

/**
 * A program and all that it starts. They are one group of processes, so that a build tool or a shell
 * that hangs ends together with its children: these would hold the output open, and with it this run.
 */
export class ProcessGroup {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the program has ended and its output is closed; undefined for exit code 0. */
  readonly ended: Promise<BadEnd | undefined>;
  #settle: (end: BadEnd | undefined) => void = () => undefined;

  constructor(command: CommandLine, limits: GroupLimits) {
    this.child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...withoutDapr(process.env), ...command.env },
      detached: true,
    });
    this.child.stdin.on('error', () => undefined);
    const outcome = new Promise<BadEnd | undefined>((resolve) => {
      this.#settle = resolve;
    });
    this.child.once('error', (cause) => {
      this.#settle({ reason: cause.message, cause });
    });
    this.child.once('close', (code, signal) => {
      this.#settle(code === 0 ? undefined : { reason: `exit code ${String(code ?? signal)}` });
    });
    this.ended = this.#limit(outcome, limits);
  }

  /** Ends the whole group at once, for a reason that {@link ended} gives. */
  kill(reason: string): void {
    const { pid, stdout, stderr } = this.child;
    this.#settle({ reason });
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
    // One that has left the group may still hold the other ends.
    stdout.destroy();
    stderr.destroy();
  }

  async #limit(
    outcome: Promise<BadEnd | undefined>,
    { withinMs, signal }: GroupLimits,
  ): Promise<BadEnd | undefined> {
    const timer = setTimeout(() => {
      this.kill(`no end within ${withinMs / 1000} s`);
    }, withinMs);
    const stop = (): void => {
      this.kill(signal?.reason instanceof Error ? signal.reason.message : 'stopped');
    };
    signal?.addEventListener('abort', stop);
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }
}
