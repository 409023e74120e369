import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A program of ours or of the floors, with the Node to run it on. */
export interface ServerProgram {
  readonly node: string;
  /** Flags of Node itself, before the file. */
  readonly nodeFlags?: readonly string[];
  /** Relative to the repository. */
  readonly file: string;
  readonly args: readonly string[];
}

const REPOSITORY = path.join(__dirname, '..');
const ANSWERS_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 10_000;
/** Short beside any start that is measured, long enough not to take the processor from it. */
const LOOK_EVERY_MS = 2;

/** A server in a process of its own, ended by its process id and nothing else. */
export class ServerProcess {
  readonly pid: number;
  /** When it was spawned, by `performance.now()`. */
  readonly spawnedAt: number;
  readonly #child: ChildProcess;
  #stderr = '';

  constructor(program: ServerProgram) {
    const { node, nodeFlags = [], file, args } = program;
    this.spawnedAt = performance.now();
    this.#child = spawn(node, [...nodeFlags, path.join(REPOSITORY, file), ...args], {
      cwd: REPOSITORY,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.on('data', (part: Buffer) => {
      this.#stderr += part.toString();
    });
    // A binary that can't be started shows in `untilAnswered`, as a process that has ended.
    this.#child.once('error', (error) => {
      this.#stderr += error.message;
    });
    this.pid = this.#child.pid ?? 0;
    // Nothing that was started outlives the benchmark, however that ends.
    const end = () => this.#child.kill('SIGKILL');
    process.once('exit', end);
    this.#child.once('exit', () => process.off('exit', end));
  }

  /** Waits until a call is answered as it should be; gives the time since the spawn, in ms. */
  async untilAnswered(port: number, isAnswered: () => Promise<boolean>): Promise<number> {
    while (!((await isOpen(port)) && (await isAnswered().catch(() => false)))) {
      const tookMs = performance.now() - this.spawnedAt;
      if (this.#hasEnded || tookMs > ANSWERS_WITHIN_MS) {
        throw new Error(`no answer on port ${port} after ${tookMs.toFixed(0)} ms: ${this.#stderr}`);
      }
      await pause(LOOK_EVERY_MS);
    }
    return performance.now() - this.spawnedAt;
  }

  /** Asks the process to end, and makes it where it doesn't. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  get #hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#child;
    return exitCode !== null || signalCode !== null || pid === undefined;
  }
}

/** Whether somebody listens on a port: cheaper than a call that fails. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}
