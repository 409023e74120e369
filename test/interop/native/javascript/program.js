'use strict';
// A user's program on stubs of the native API: `node program.js first|second`.
// Each step is printed as "step<TAB>answer".

const { once } = require('node:events');
const { createInterface } = require('node:readline');
const { setTimeout: pause } = require('node:timers/promises');
const { promisify } = require('node:util');
const { hold } = require('./hold.js');
const { createLocks } = require('./locks.js');
const { writeReport } = require('./report.js');

const LOCK = { storeName: 'lockstore', resourceId: 'my_file_name' };
const TTL_MS = 2000;

const locks = createLocks();
const acquire = promisify(locks.Acquire.bind(locks));
const get = promisify(locks.Get.bind(locks));

const say = (step, answer) => console.log(`${step}\t${String(answer).replaceAll('\n', ' ')}`);
const lines = createInterface({ input: process.stdin });
const waitFor = async (what) => {
  const line = once(lines, 'line');
  say('waiting', what);
  await line;
};

/** Sends the token along: the store refuses one that is lower than one it has seen. */
async function write(token, body) {
  const headers = { 'fencing-token': String(token) };
  const { status } = await fetch(process.env.STORE_URL, { method: 'PUT', headers, body });
  return { 204: 'written', 409: 'refused' }[status] ?? status;
}

const NAMES = { queued: 'queued', held: 'held', renewed: 'renewed', atRisk: 'at_risk' };

/** Reads a hold to its end. */
async function tellEvents() {
  const names = [];
  const request = { ...LOCK, resourceId: 'watched', ttlMs: TTL_MS, waitMs: 60_000 };
  for await (const { event, lost } of locks.Hold(request)) {
    const name = lost ? `lost:${lost.reason}` : NAMES[event];
    if (names.at(-1) !== name) names.push(name);
  }
  return names.join(' ');
}

const scenarios = {
  async first() {
    const { holder } = await acquire({ ...LOCK, ttlMs: TTL_MS });
    say('acquire it while another has it', `${holder.lockOwner} has it`);
    const events = tellEvents();
    let own;
    const request = { ...LOCK, ttlMs: TTL_MS, waitMs: 60_000 };
    const holding = hold(locks, request, async (token, signal) => {
      own = token;
      say('its token is higher than the one before', token > holder.fencingToken);
      say('write with its token', await write(token, 'first'));
      await pause(TTL_MS * 1.5);
      say('it is held for longer than one lease', !signal.aborted);
      const lost = once(signal, 'abort');
      await waitFor('Redis is gone');
      await lost;
      say('it is told that the lock is lost', true);
    });
    say('its hold ends with an error', await holding.then(String, (error) => `error: ${error}`));
    say('events of a hold', await events);
    await waitFor('the second holds the lock');
    const { lock } = await get(LOCK);
    say('the second has the lock, with a higher token', lock.fencingToken > own);
    say('write with the old token', await write(own, 'first again'));
  },

  async second() {
    await writeReport(async (token) => {
      say('write with its token', await write(token, 'second'));
      await waitFor('the first has ended');
    });
    say('its hold ends well', true);
  },
};

scenarios[process.argv[2]]().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
