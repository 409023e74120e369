import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

import { findFreePort } from './free-port';
import { grpcServerArguments } from './grpc-server-choice';
import { withoutDapr } from './plain-environment';

const REPOSITORY = path.join(__dirname, '../..');

/** The built program; if coverage is measured, compiled file by file (scripts/coverage.js). */
const MAIN = path.join(
  REPOSITORY,
  process.env.HOLDFAST_COVERAGE_DIR === undefined ? 'dist/main.js' : 'plain/main.js',
);

/** How long a sidecar may take to say that it is ready; a stated allowance for a busy machine. */
const READY_WITHIN_MS = 15_000;

/** How a sidecar is started. */
export interface SidecarProcessOptions {
  /** Further arguments; ports and app id are given unless they stand here. */
  readonly args?: readonly string[];
  /** Added to the environment of this process, of which nothing that Dapr reads is handed on. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The limit of open files that it is started under; that of this process otherwise. */
  readonly openFiles?: number;
  /** Where to listen, for one that takes the place of another; free ports otherwise. */
  readonly ports?: SidecarPorts;
  /** The script to start, where it is not the one of this checkout. */
  readonly main?: string | undefined;
}

/** The ports of a sidecar. */
export interface SidecarPorts {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
}

/** A sidecar in a process of its own, as an operator runs it. */
export class SidecarProcess {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or null where a signal ended the process. */
  readonly exited: Promise<number | null>;
  #stdout = '';
  #stderr = '';
  readonly #waiting = new Set<() => void>();

  private constructor(options: SidecarProcessOptions, at: SidecarPorts) {
    this.httpPort = at.httpPort;
    this.grpcPort = at.grpcPort;
    this.metricsPort = at.metricsPort;
    const ports = [
      ['--dapr-http-port', at.httpPort],
      ['--dapr-grpc-port', at.grpcPort],
      ['--metrics-port', at.metricsPort],
    ].flatMap((pair) => pair.map(String));
    const main = options.main ?? MAIN;
    // Those of another checkout may not know the flag.
    const server = options.main === undefined ? grpcServerArguments() : [];
    const args = [main, '--app-id', 'myapp', ...server, ...ports, ...(options.args ?? [])];
    const [command, ...before] = toCommand(options.openFiles);
    this.child = spawn(command, [...before, ...args], {
      cwd: options.cwd ?? REPOSITORY,
      env: { ...withoutDapr(process.env), ...coverageEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdout?.on('data', (part: Buffer) => {
      this.#stdout += part.toString();
      this.#wake();
    });
    this.child.stderr?.on('data', (part: Buffer) => {
      this.#stderr += part.toString();
      this.#wake();
    });
    void this.exited.then(() => {
      this.#wake();
    });
  }

  /** Starts the process and does not wait for it. */
  static async spawn(options: SidecarProcessOptions = {}): Promise<SidecarProcess> {
    return new SidecarProcess(options, options.ports ?? (await findFreePorts()));
  }

  /** Starts the process and waits until it says that it is initialised. */
  static async start(options: SidecarProcessOptions = {}): Promise<SidecarProcess> {
    const sidecar = await SidecarProcess.spawn(options);
    await sidecar.waitForOutput('dapr initialized.');
    return sidecar;
  }

  /** All that the process has written to standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** All that the process has written to standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Standard error without the line to paste, which goes there without a terminal. */
  get strayErrors(): string {
    return this.#stderr.replace(/\nHoldfast listens on [^\n]*\n(?:\ncurl [^\n]*\n)?\n/, '');
  }

  /** Waits for a text in either output; rejects where the process ends without it. */
  async waitForOutput(text: string): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!this.#output.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the sidecar ended without saying "${text}":\n${this.#output}`);
      }
      if (Date.now() > deadline) {
        throw new Error(`the sidecar did not say "${text}" in time:\n${this.#output}`);
      }
      await this.#nextOutput();
    }
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }

  get #output(): string {
    return this.#stdout + this.#stderr;
  }

  #nextOutput(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(wake, 100);
      const waiting = this.#waiting;
      function wake(): void {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      }
      waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Node itself, or Node under a limit of its own. */
function toCommand(openFiles: number | undefined): [string, ...string[]] {
  if (openFiles === undefined) return [process.execPath];
  return ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, process.execPath];
}

async function findFreePorts(): Promise<SidecarPorts> {
  return {
    httpPort: await findFreePort(),
    grpcPort: await findFreePort(),
    metricsPort: await findFreePort(),
  };
}

/** Where a measured run wants the child to write what it covered, see scripts/coverage.js. */
export function coverageEnvironment(): NodeJS.ProcessEnv {
  const { HOLDFAST_COVERAGE_DIR: folder } = process.env;
  return folder === undefined ? {} : { NODE_V8_COVERAGE: folder };
}
