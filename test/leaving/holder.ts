import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

import { eventually } from '../support/eventually';
import { withoutDapr } from '../support/plain-environment';

const ROOT = path.join(__dirname, '../..');

/** How a client reaches the sidecar. */
export type Transport = 'gRPC' | 'HTTP';

/** The lock that a client must hold, and where. */
export interface HoldTarget {
  readonly transport: Transport;
  readonly port: number;
  readonly resourceId: string;
  readonly ttlMs: number;
}

/** A client that holds a lock, in a process of its own: curl over HTTP, a program on grpc-js over gRPC. */
export class Holder {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #startedAtMs = performance.timeOrigin + performance.now();
  #output = '';

  private constructor({ transport, port, resourceId, ttlMs }: HoldTarget) {
    const message = { storeName: 'lockstore', resourceId, ttlMs };
    const [file, ...args] =
      transport === 'HTTP'
        ? ['curl', ...toCurlArgs(port, JSON.stringify({ resourceId, ttlMs }))]
        : [process.execPath, 'scripts/run-typescript.js', 'test/leaving/grpc-holder.ts'].concat(
            String(port),
            JSON.stringify(message),
          );
    const env = withoutDapr(process.env);
    this.#child = spawn(file!, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (part: Buffer) => {
        this.#output += part.toString();
      });
    }
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  /** Starts a client and waits until its lease has been renewed once. */
  static async start(target: HoldTarget): Promise<Holder> {
    const holder = new Holder(target);
    await eventually(
      () => {
        if (!holder.#output.includes('renewed')) throw new Error(`only: ${holder.#output}`);
      },
      { withinMs: 30_000 },
    );
    return holder;
  }

  /**
   * Until when the client believes that it has the lock, in milliseconds since 1970. Each validMs counts from its call. That
   * of curl is taken to be the start of its process, which is somewhat earlier.
   */
  get believesUntilMs(): number {
    const calledAtMs = /"calledAtMs":([\d.]+)/.exec(this.#output)?.[1] ?? this.#startedAtMs;
    const validMs = [...this.#output.matchAll(/"validMs":(\d+)/g)].at(-1)?.[1];
    return Number(calledAtMs) + Number(validMs);
  }

  /** True once it was told that its lease is not renewed any more. */
  get isAtRisk(): boolean {
    return this.#output.includes('atRisk');
  }

  /** Stops it from running; its connection stays open. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Ends it at once, also where it is stopped. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

function toCurlArgs(port: number, body: string): readonly string[] {
  const url = `http://127.0.0.1:${port}/holdfast/v1/locks/lockstore/hold`;
  return ['-sN', url, '-H', 'content-type: application/json', '-d', body];
}
