#!/usr/bin/env node
'use strict';
// dist/main.js: runs the sidecar, dist/holdfast.js, or the commands, dist/commands.js, as Node would,
// but passes V8 the code cache that was written at build time (write-code-cache.js). If the cache is
// missing or was written by another version of Node, V8 compiles as usual.

if (require.main === module) keepDebuggerShut();

const { readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

/**
 * The first words that name a command. All else is the sidecar's: as in daprd, words that are not
 * flags are ignored. A test compares them with the commands in src/commands.
 */
const COMMANDS = ['run', 'locks', 'check', 'completion', 'help'];

/** The bundle for a command line. */
function bundleFor([word]) {
  return COMMANDS.includes(word) ? 'commands' : 'holdfast';
}

/**
 * If nothing listens to SIGUSR1, the signal opens Node's debugger to every process on the machine.
 * The sidecar has its own listener for it (main.ts), and SIGUSR2 has no meaning. Until that
 * listener exists, both signals do nothing, as in daprd. If a signal arrives even before this code
 * runs, the debugger is closed again in the first turns of the event loop.
 */
function keepDebuggerShut() {
  for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => undefined);
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (options.includes('--inspect')) return;
  const close = () => {
    const inspector = require('node:inspector');
    if (inspector.url() !== undefined) inspector.close();
  };
  const { setImmediate } = require('node:timers');
  setImmediate(() => setImmediate(close));
}

/** The file of a bundle's code cache. Each version of Node needs its own. */
function cacheFileOf(name) {
  return path.join(__dirname, `${name}-${process.version}-${process.arch}.cache`);
}

function readCache(name) {
  try {
    return readFileSync(cacheFileOf(name));
  } catch {
    return undefined;
  }
}

/** Compiles a bundle's script, with the code cache if there is one. */
function compile(name) {
  const filename = path.join(__dirname, `${name}.js`);
  // The file is ASCII. Read as latin1, its text stays outside the heap, in one copy.
  const source = readFileSync(filename, 'latin1');
  return new vm.Script(source, { filename, cachedData: readCache(name) });
}

/** Runs a bundle. Returns its script and exports, for the scripts that write code caches. */
function launch(name) {
  const script = compile(name);
  const file = path.join(__dirname, `${name}.js`);
  const main = new Module(file, null);
  main.filename = file;
  main.paths = Module._nodeModulePaths(__dirname);
  const run = script.runInThisContext();
  run.call(main.exports, main.exports, main.require.bind(main), main, file, __dirname);
  return { script, exports: main.exports };
}

module.exports = { COMMANDS, cacheFileOf, compile, launch };

if (require.main === module) {
  const args = process.argv.slice(2);
  // The sidecar starts as it is loaded.
  launch(bundleFor(args)).exports.main?.(args);
}
