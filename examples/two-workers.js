'use strict';
// Dapr's how-to as something to watch: `npm run example`. Starts a sidecar with the embedded store and
// two workers that want to write one file. Each says whom it waits for; at the end the file is
// looked at: the lines of one turn stand together, or the lock was worth nothing.

const { spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

async function main() {
  const stopped = untilStopped();
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-example-'));
  const file = path.join(folder, 'my_file_name');
  writeFileSync(file, '');
  const [httpPort, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const sidecar = start('dist/main.js', [
    ...['--app-id', 'myapp', '--resources-path', 'components'],
    ...['--dapr-http-port', httpPort, '--dapr-grpc-port', grpcPort],
    ...['--metrics-port', metricsPort, '--log-level', 'warn'],
  ]);
  // What the sidecar says of its start would be in the way here; it is shown where something fails.
  const said = [];
  sidecar.stdout.on('data', (part) => said.push(part));
  const env = { DAPR_HTTP_PORT: String(httpPort) };
  const workers = ['worker-1', 'worker-2'].map((name) =>
    start('examples/worker.js', [name, file], env),
  );
  try {
    const sidecarEnded = toEnd(sidecar).then((code) => {
      throw new Error(`the sidecar ended with ${code}`);
    });
    await Promise.race([Promise.all(workers.map(toSuccess)), sidecarEnded, stopped]);
    report(file);
  } catch (error) {
    if (!(error instanceof Stopped)) for (const part of said) process.stderr.write(part);
    throw error;
  } finally {
    for (const child of [...workers, sidecar]) child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

class Stopped extends Error {}

/** Rejects at SIGINT or SIGTERM, so that what was started is ended too. */
function untilStopped() {
  return new Promise((_resolve, reject) => {
    // npm hands on what a terminal has given to both: the copy must not end this process first.
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => reject(new Stopped(`stopped by ${signal}`)));
    }
  });
}

function start(program, args, env = {}) {
  return spawn(process.execPath, [program, ...args.map(String)], {
    cwd: ROOT,
    env: { ...withoutDapr(process.env), ...env },
    stdio: ['ignore', program === 'dist/main.js' ? 'pipe' : 'inherit', 'inherit'],
  });
}

/** Whoever has a Dapr app of their own may have its sidecar's address and token set. */
function withoutDapr(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('DAPR_')));
}

async function toSuccess(worker) {
  const code = await toEnd(worker);
  if (code !== 0) throw new Error(`a worker ended with ${code}`);
}

function toEnd(child) {
  return new Promise((resolve) => child.once('close', resolve));
}

/** Looks for lines of one worker within a turn of the other. */
function report(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const turns = [];
  for (const line of lines) {
    const turn = line.split(' ').slice(0, 3).join(' ');
    if (turns.at(-1) !== turn) turns.push(turn);
  }
  console.log(`\n${lines.length} lines in ${turns.length} turns:`);
  for (const turn of turns) console.log(`  ${turn}`);
  if (new Set(turns).size < turns.length) throw new Error('a turn was broken into by the other');
  console.log('No turn was broken into by the other.');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
