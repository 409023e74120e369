import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import type { RunCommand } from '../interop/client';
import versions from '../interop/versions.json';

/** The programs that are built with Go. */
export interface GoPrograms {
  readonly standIn: string;
  /** A program on the Go SDK. */
  readonly client: string;
}

/** Where downloads and builds are kept between runs. */
export function cacheFolder(...names: readonly string[]): string {
  const caches = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  return path.join(caches, 'holdfast', ...names);
}

/** Builds the stand-in for a daprd and the client, both from the module of the Go SDK. */
export async function buildGoPrograms(runCommand: RunCommand): Promise<GoPrograms> {
  const folder = cacheFolder('upstream', `go-${versions.go}`);
  const sources = { 'stand-in': ['stand-in', 'main.go'], client: ['programs', 'main.go'] };
  for (const [name, source] of Object.entries(sources)) {
    await mkdir(path.join(folder, name), { recursive: true });
    await copyFile(path.join(__dirname, ...source), path.join(folder, name, 'main.go'));
  }
  await writeFile(path.join(folder, 'go.mod'), 'module upstream\n');
  const run = (...args: string[]) => runCommand({ file: 'go', args, cwd: folder });
  await run('get', `github.com/dapr/go-sdk@v${versions.go}`);
  await run('mod', 'tidy');
  await run('build', '-o', 'bin/', './...');
  const bin = (name: string) => path.join(folder, 'bin', name);
  return { standIn: bin('stand-in'), client: bin('client') };
}

/** A stand-in for a daprd, in a process of its own. */
export class StandIn {
  readonly child: ChildProcess;
  readonly grpcAddress: string;
  readonly httpAddress: string;
  readonly exited: Promise<unknown>;

  private constructor(child: ChildProcess, grpcAddress: string, httpAddress: string) {
    this.child = child;
    this.grpcAddress = grpcAddress;
    this.httpAddress = httpAddress;
    this.exited = once(child, 'close');
  }

  /** Starts one, on free ports unless `args` say where. */
  static async start(file: string, args: readonly string[] = []): Promise<StandIn> {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const [, grpc, http] = /listens on (\S+) \(gRPC\) and (\S+) \(HTTP\)/.exec(line) ?? [];
    if (grpc === undefined || http === undefined) throw new Error(`the stand-in said ${line}`);
    return new StandIn(child, grpc, http);
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
