import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';

import { withoutDapr } from '../support/plain-environment';

const RUNNER = path.join(__dirname, '../../scripts/run-typescript.js');

/** A request to a program, by the name of what it is to do. */
export interface Command {
  readonly do: string;
  readonly [argument: string]: unknown;
}

/** The answer of a program to a {@link Command}. */
type Reply =
  | { readonly done: string; readonly value: unknown }
  | { readonly done: string; readonly failed: string };

/**
 * A TypeScript program of this folder in a process of its own, asked over Node's IPC channel: its
 * processor time and its garbage are not those of who asks.
 */
export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #stderr = '';

  /** Starts a file of this folder. */
  constructor(file: string, args: readonly string[] = []) {
    this.#child = fork(RUNNER, [path.join(__dirname, file), ...args], {
      env: withoutDapr(process.env),
      execArgv: [],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (part: Buffer) => {
      this.#stderr += part.toString();
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once('close', () => {
        resolve();
      });
    });
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid!;
  }

  /**
   * Asks for something and waits for the answer.
   *
   * @throws {Error} what the program threw, or that it ended
   */
  async ask<T>(command: Command): Promise<T> {
    const child = this.#child;
    let listen: ((reply: Reply) => void) | undefined;
    const answered = new Promise<T>((resolve, reject) => {
      listen = (reply) => {
        if (reply.done !== command.do) return;
        if ('failed' in reply) reject(new Error(reply.failed));
        else resolve(reply.value as T);
      };
      child.on('message', listen);
    });
    const ended = this.#gone.then(() => {
      throw new Error(`the program ended before it had answered "${command.do}": ${this.#stderr}`);
    });
    child.send(command, () => undefined);
    try {
      return await Promise.race([answered, ended]);
    } finally {
      child.off('message', listen!);
    }
  }

  /** Ends it at once; the kernel closes its connections. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}

/**
 * The functions of a program of this folder, by the name of the command.
 * The process ends when who asks is gone.
 */
export function answerCommands(
  answers: Readonly<Record<string, (command: never) => Promise<unknown>>>,
): void {
  process.once('disconnect', () => process.exit());
  process.on('message', (command: Command) => {
    const { do: done } = command;
    const answer = answers[done]!;
    answer(command as never).then(
      (value) => process.send!({ done, value }),
      (error: unknown) =>
        process.send!({ done, failed: error instanceof Error ? error.message : String(error) }),
    );
  });
}
