'use strict';
// A user's program on Dapr's JavaScript SDK: `node program.js SCENARIO`, over HTTP or gRPC by PROTOCOL.
// Each step is printed as "step<TAB>answer".

const { randomUUID } = require('node:crypto');
const { appendFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { setTimeout: pause } = require('node:timers/promises');
const { CommunicationProtocolEnum, DaprClient, LogLevel } = require('@dapr/dapr');
const { writeReport } = require('./report.js');

const STORE = 'lockstore';
const STATUSES = ['success', 'does not exist', 'belongs to others', 'internal error'];

const isGrpc = process.env.PROTOCOL === 'grpc';
const communicationProtocol = isGrpc
  ? CommunicationProtocolEnum.GRPC
  : CommunicationProtocolEnum.HTTP;
const client = new DaprClient({ communicationProtocol, logger: { level: LogLevel.Error } });

const say = (step, answer) => console.log(`${step}\t${String(answer).replaceAll('\n', ' ')}`);
const lock = async (resource, owner, seconds, store = STORE) =>
  (await client.lock.lock(store, resource, owner, seconds)).success;
const unlock = async (resource, owner) =>
  STATUSES[(await client.lock.unlock(STORE, resource, owner)).status];

/** Formats an error as its user sees it: over gRPC it has a code beside its message. */
const shown = (call) =>
  call.then(String, ({ code, message }) =>
    isGrpc ? `error: code ${code}, ${message}` : `error: ${message}`,
  );

const lines = createInterface({ input: process.stdin });
const waitFor = (what) => {
  const line = new Promise((resolve) => lines.once('line', resolve));
  say('waiting', what);
  return line;
};

async function until(condition) {
  for (const endsAt = Date.now() + 30_000; Date.now() < endsAt; await pause(50)) {
    if (await condition()) return true;
  }
  return false;
}

/** The native API about the same locks, over HTTP. */
async function callNative(path, body) {
  const url = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/holdfast/v1/locks/${STORE}${path}`;
  const headers = { 'content-type': 'application/json' };
  const post = body && { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(url, post)).json();
}

const stateOf = ({ errorCode, lockOwner, fencingToken, ttlMs }) =>
  errorCode ??
  `held by ${lockOwner} ${fencingToken > 0 ? 'with' : 'without'} a token, ${ttlMs > 60_000 ? 'more than' : 'at most'} 60 s left`;

/** Over HTTP the report makes the client that its page shows. */
async function workOf(work = () => undefined) {
  const done = await (isGrpc ? writeReport(work, client) : writeReport(work));
  return done ? 'done' : 'not done';
}

const failing = () => {
  throw new Error('no space left');
};

const scenarios = {
  async lock() {
    say('lock a free resource', await lock('report', 'alice', 60));
    say('lock it again as its owner', await lock('report', 'alice', 60));
    say('lock it as another owner', await lock('report', 'bob', 60));
    say('unlock it as another owner', await unlock('report', 'bob'));
    say('unlock it', await unlock('report', 'alice'));
    say('unlock it again', await unlock('report', 'alice'));
    say('lock it for 1 s', await lock('report', 'alice', 1));
    say('lock it as another owner before that', await lock('report', 'bob', 60));
    say('lock it as another owner after that', await until(() => lock('report', 'bob', 60)));
    await unlock('report', 'bob');
  },

  async snippet() {
    say('work while the lock is free', await workOf());
    say('lock as another owner after it', await lock('my_file_name', 'bob', 60));
    say('work while that owner holds it', await workOf());
    say('unlock as that owner', await unlock('my_file_name', 'bob'));
    say('work that fails', await shown(workOf(failing)));
    say('lock as another owner after that', await lock('my_file_name', 'bob', 60));
    say('unlock as that owner again', await unlock('my_file_name', 'bob'));
    say('work that is longer than its lease', await shown(workOf(() => waitFor('lease over'))));
  },

  async native() {
    say('lock it by the SDK', await lock('shared', 'alice', 60));
    const lookAt = () => callNative('/lock?resourceId=shared');
    const taken = await lookAt();
    say('get it by HTTP', stateOf(taken));
    const { lockOwner, fencingToken } = taken;
    const renewal = { resourceId: 'shared', lockOwner, fencingToken, ttlMs: 120_000 };
    say('renew it by HTTP', (await callNative('/renew', renewal)).status);
    say('get it by HTTP then', stateOf(await lookAt()));
    say('unlock it by the SDK', await unlock('shared', 'alice'));
    say('get it by HTTP at last', stateOf(await lookAt()));
  },

  async errors() {
    say('an unknown store', await shown(lock('r', 'o', 60, 'nope')));
    say('an empty resource', await shown(lock('', 'o', 60)));
    say('an empty owner', await shown(lock('r', '', 60)));
    say('expiry 0', await shown(lock('r', 'o', 0)));
    say('two pipes in the resource', await shown(lock('a||b', 'o', 60)));
  },

  async contend(file, owner) {
    await client.start();
    await waitFor('ready');
    let refused = 0;
    while (!(await lock('my_file_name', owner, 60))) {
      refused += 1;
      await pause(50);
    }
    appendFileSync(file, `begin ${process.pid}\n`);
    await pause(1000);
    appendFileSync(file, `end ${process.pid}\n`);
    say('unlock after the work', await unlock('my_file_name', owner));
    say('refused before it', refused);
  },

  async token() {
    say('lock with a token', await shown(lock('guarded', randomUUID(), 1)));
  },

  async restart() {
    say('lock before the stop', await lock('kept', 'alice', 60));
    await waitFor('stop');
    say('call while it is stopped', await shown(unlock('kept', 'alice')));
    await waitFor('start');
    let answer;
    await until(async () => {
      answer = await shown(unlock('kept', 'alice'));
      return !answer.startsWith('error: ');
    });
    say('unlock after the start', answer);
  },

  async sidecar() {
    await client.start();
    say('start, which waits for the sidecar', 'ok');
    say('healthy', await client.health.isHealthy());
    say('metadata id', (await client.metadata.get()).id);
    await client.sidecar.shutdown();
    say('shutdown', 'ok');
  },
};

const [scenario, ...rest] = process.argv.slice(2);
scenarios[scenario](...rest).then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
