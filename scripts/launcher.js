#!/usr/bin/env node
'use strict';
// dist/main.js: runs dist/holdfast.js beside it as Node would, but hands V8 what was compiled of it
// when it was built (write-code-cache.js). Where that is missing, or was made by another Node, V8
// compiles as usual.

if (require.main === module) keepDebuggerShut();

const { readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const file = path.join(__dirname, 'holdfast.js');

/**
 * SIGUSR1 opens Node's debugger to every process of the machine, unless somebody listens to it. Here
 * it is the sidecar's own (main.ts), and SIGUSR2 has no meaning: both do nothing from the first moment
 * on, as with daprd. What a signal before that moment opens is closed again in the loop's first turns.
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

/** Where the compiled code is: that of one version of Node is of no use to another. */
const cacheFile = path.join(__dirname, `holdfast-${process.version}-${process.arch}.cache`);

function readCache() {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

/** The sidecar's script, with its compiled code where there is some. */
function compile() {
  // The file is ASCII: as latin1 its text stays outside the heap, in one copy.
  const source = readFileSync(file, 'latin1');
  return new vm.Script(source, { filename: file, cachedData: readCache() });
}

/** Runs the sidecar; the script is given back for the one that writes its compiled code. */
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
