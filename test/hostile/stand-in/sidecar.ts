import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';

import { collectGarbage } from '../../support/collect-garbage';

/**
 * A sidecar with faults on demand: it answers lock calls as one does, and a path for each fault.
 * Whoever measures sidecars has to notice each of them. `sidecar.ts PORT`.
 */
const kept: Buffer[] = [];
const hoarded: FileHandle[] = [];
const locks: string[] = [];
let isBroken = false;

const MEBIBYTE = 1 << 20;

/** Filled, so that the kernel has to give the pages. */
const allocate = (mebibytes: number): Buffer => Buffer.alloc(mebibytes * MEBIBYTE, 1);

const FAULTS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  '/keep-memory': () => kept.push(allocate(120)),
  // Only for as long as the connection stands.
  '/hold-memory': ({ socket }) => {
    let held: Buffer | undefined = allocate(120);
    socket?.once('close', () => {
      held = undefined;
      collectGarbage();
    });
    return held;
  },
  // By processor time: what the machine makes it wait is no stall.
  '/stall': () => {
    const before = process.cpuUsage();
    const isOver = ({ user, system }: NodeJS.CpuUsage) => user + system > 1_500_000;
    while (!isOver(process.cpuUsage(before)));
  },
  '/hoard-descriptors': async () => hoarded.push(await open('/dev/null')),
  '/leave-a-lock': () => locks.push('left'),
  '/fail-calls': () => (isBroken = true),
  '/never-stop': () => process.on('SIGTERM', () => undefined),
  '/die': () => process.exit(1),
};

const server = createServer((request, response) => {
  request.resume();
  const { url = '' } = request;
  if (url === '/locks') response.end(JSON.stringify(locks));
  else if (url.includes('/lock/'))
    response.end(isBroken ? '{"success":false}' : '{"success":true}');
  else if (url.includes('/unlock/')) response.end('{"status":0}');
  else {
    FAULTS[url]?.(response);
    response.end('done');
  }
});
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
