'use strict';
// One worker of the example: `node worker.js NAME FILE`. Three times it takes the lock, writes its
// lines into the file that only one may write, and releases the lock. What the program of a team
// that uses Dapr looks like: it knows the SDK and the environment of its sidecar, nothing of Holdfast.

const { randomUUID } = require('node:crypto');
const { appendFileSync, readFileSync } = require('node:fs');
const { hostname } = require('node:os');
const { setTimeout: pause } = require('node:timers/promises');
const { DaprClient, LogLevel } = require('@dapr/dapr');

const ROUNDS = 3;
const LINES = 3;

const [name, file] = process.argv.slice(2);
const client = new DaprClient({ logger: { level: LogLevel.Error } });
const say = (text) => console.log(`${new Date().toISOString().slice(11, 23)} ${name}: ${text}`);

async function main() {
  // Otherwise the first call waits for the sidecar, and it would look like waiting for the lock.
  await client.start();
  for (let round = 1; round <= ROUNDS; round += 1) {
    // A name of its own for each lock: nobody else can release it, and it says who holds the lock.
    const owner = `${hostname()}-${process.pid}-${randomUUID()}`;
    await waitForLock(owner);
    try {
      await write(round);
    } finally {
      await release(owner);
    }
    await pause(50);
  }
}

/** Dapr's lock does not wait: whoever is refused asks again. */
async function waitForLock(owner) {
  const since = Date.now();
  let asked = 0;
  for (;;) {
    const { success } = await client.lock.lock('lockstore', 'my_file_name', owner, 10);
    asked += 1;
    if (success) break;
    if (asked === 1) say(`my_file_name is held${byWhom()}; waiting`);
    await pause(20);
  }
  const waited = asked === 1 ? 'at once' : `after ${Date.now() - since} ms, asked ${asked} times`;
  say(`got it ${waited}`);
}

async function release(owner) {
  const { status } = await client.lock.unlock('lockstore', 'my_file_name', owner);
  if (status === 0) return say('released it (status 0)');
  say(`THE LEASE WAS OVER before the lines were written: unlock status ${status}`);
  process.exitCode = 1;
}

async function write(round) {
  for (let line = 1; line <= LINES; line += 1) {
    appendFileSync(file, `${name} round ${round} line ${line} of ${LINES}\n`);
    await pause(80);
  }
  say(`wrote ${LINES} lines`);
}

/** The lock does not say who holds it; the file shows who writes it. */
function byWhom() {
  const last = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
  return last === '' || last.startsWith(`${name} `) ? '' : ` by ${last.split(' ')[0]}`;
}

main().catch((error) => {
  console.error(`${name}: ${error.message}`);
  process.exit(1);
});
