import { createServer } from 'node:net';

/**
 * Ports below those that the system gives to outgoing connections, in turn: one that the system is
 * asked for may be given to somebody else, or a second time, before it is used. Every worker of the
 * test runner has a range of its own.
 */
const FIRST = 10_240;
const PER_WORKER = 5000;

const worker = (Number(process.env.JEST_WORKER_ID ?? 1) - 1) % 4;
const first = FIRST + worker * PER_WORKER;
// Runs that follow each other closely don't begin at the same port: a closed one may linger.
let next = Math.floor(Math.random() * PER_WORKER);

/** A TCP port of the loopback interface that nobody listens on; never the same twice in a row. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < PER_WORKER; tries += 1) {
    next = (next + 1) % PER_WORKER;
    // Kept here: another call may have gone on to the next port while this one is looked at.
    const port = first + next;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${first} to ${first + PER_WORKER - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    // All addresses: where one of them is taken the port is of no use.
    server.listen(port, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
