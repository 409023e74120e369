import { setTimeout as pause } from 'node:timers/promises';

import { callHttp } from '../../support/http-call';
import { LEASE_MS, type WorkerArgs } from './control-run';
import { openRegister } from './register';

/** The report of a worker to its parent. */
interface Report {
  updates: number;
  refused: number;
}

/**
 * A client that believes in its lock however long ago it got it: takes it, reads, works, writes one more. Its parent
 * stops it with SIGSTOP now and then, and it ends when its input does.
 */
async function main(): Promise<void> {
  const { sidecarPort, redisPort, isChecked } = JSON.parse(process.argv[2]!) as WorkerArgs;
  const register = await openRegister(redisPort, isChecked);
  const report: Report = { updates: 0, refused: 0 };
  const over = new AbortController();
  process.stdin
    .on('end', () => {
      over.abort();
    })
    .resume();
  while (!over.signal.aborted) {
    const lease = await acquire(sidecarPort);
    if (lease === undefined) continue;
    const { lockOwner, fencingToken } = lease;
    const value = await register.read(fencingToken);
    await pause(10);
    const isWritten = value !== undefined && (await register.write(value + 1, fencingToken));
    if (isWritten) report.updates += 1;
    else report.refused += 1;
    await post(sidecarPort, 'release', { lockOwner, fencingToken });
  }
  register.close();
  process.stdout.write(JSON.stringify(report));
}

interface Lease {
  readonly lockOwner: string;
  readonly fencingToken: number;
}

async function acquire(port: number): Promise<Lease | undefined> {
  const answer = await post(port, 'acquire', { ttlMs: LEASE_MS, waitMs: 1000 });
  return (answer as { readonly lease?: Lease }).lease;
}

async function post(port: number, method: string, body: object): Promise<unknown> {
  const answer = await callHttp(port, {
    path: `/holdfast/v1/locks/lockstore/${method}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceId: 'register', ...body }),
  });
  return JSON.parse(answer.body);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(1);
});
