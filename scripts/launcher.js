#!/usr/bin/env node
'use strict';
// dist/main.js: runs dist/holdfast.js as Node would, but passes V8 the code cache that was written
// at build time (write-code-cache.js). If the cache is missing or was written by another version of
// Node, V8 compiles as usual.

if (require.main === module) keepDebuggerShut();

const { readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const file = path.join(__dirname, 'holdfast.js');

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

/** The file of the code cache. Each version of Node needs its own. */
const cacheFile = path.join(__dirname, `holdfast-${process.version}-${process.arch}.cache`);

function readCache() {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

/** Compiles the sidecar's script, with the code cache if there is one. */
function compile() {
  // The file is ASCII. Read as latin1, its text stays outside the heap, in one copy.
  const source = readFileSync(file, 'latin1');
  return new vm.Script(source, { filename: file, cachedData: readCache() });
}

/** Runs the sidecar. Returns the script, so that write-code-cache.js can write its code cache. */
function launch() {
  const script = compile();
  const main = new Module(file, null);
  main.filename = file;
  main.paths = Module._nodeModulePaths(__dirname);
  const run = script.runInThisContext();
  run.call(main.exports, main.exports, main.require.bind(main), main, file, __dirname);
  return script;
}

module.exports = { cacheFile, compile, launch };

if (require.main === module) launch();
