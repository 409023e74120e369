#!/usr/bin/env node
'use strict';
// dist/main.js: runs the sidecar, dist/holdfast.js, or the commands, dist/commands.js, as Node would,
// but passes V8 the code cache of the bundle. The build writes it (write-code-cache.js). Where it is missing,
// as in the package of npm, or is another Node's, V8 compiles as usual, and the first run writes the cache as
// it ends.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { setFlagsFromString } = require('node:v8');
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

/**
 * The Dapr CLI (`dapr list`, `dapr stop`) finds sidecars by the name of the process, and reads its command line as pairs of
 * a flag and its value. A process that is started as `daprd` has both, instead of those of Node and a script.
 */
function takeNameOfDaprd(args) {
  if (path.basename(process.argv[1]) !== 'daprd') return;
  process.title = ['daprd', ...args].join(' ');
  try {
    // The title, cut off after 15 characters, has become the name too.
    fs.writeFileSync('/proc/self/comm', 'daprd');
  } catch {
    // Not Linux.
  }
}

/** The file of a bundle's code cache beside the bundle. Each version of Node needs its own. */
function cacheFileOf(name) {
  return path.join(__dirname, toCacheName(name));
}

function toCacheName(name) {
  return `${name}-${process.version}-${process.arch}.cache`;
}

/** How many characters at the end of a bundle are its hash (scripts/bundle). */
const HASH_LENGTH = 16;

/**
 * The file of a code cache for a user who can't write beside the bundle. Its name has the hash of the bundle,
 * because V8 compares only the length.
 */
function ownCacheFileOf(name, source) {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const folder = XDG_CACHE_HOME || (HOME && path.join(HOME, '.cache'));
  if (!folder) return undefined;
  return path.join(folder, 'holdfast', `${source.slice(-HASH_LENGTH)}-${toCacheName(name)}`);
}

function readCache(name, source) {
  return readIfThere(cacheFileOf(name)) ?? readIfOwn(ownCacheFileOf(name, source));
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** True for what only this user can write. */
function isOwn({ uid, mode }) {
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

/**
 * V8 runs what is in a cache, so it has to come from this user: root may run with another's HOME. The owner is that
 * of the open file, as a path may lead to another one a moment later.
 */
function readIfOwn(file) {
  if (file === undefined || process.getuid === undefined) return undefined;
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let descriptor;
  try {
    // Without O_NONBLOCK a pipe would be waited for.
    descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const status = fs.fstatSync(descriptor);
    return status.isFile() && isOwn(status) ? fs.readFileSync(descriptor) : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/**
 * Compiles a bundle, with the code cache if there is one. Returns V8's script, and the bundle's text; `isCached` is true
 * where there was a cache, even if V8 rejected it.
 */
function compile(name) {
  const filename = path.join(__dirname, `${name}.js`);
  // The file is ASCII. Read as latin1, its text stays outside the heap, in one copy.
  const source = fs.readFileSync(filename, 'latin1');
  const cachedData = readCache(name, source);
  const script = new vm.Script(source, { filename, cachedData });
  return { script, source, isCached: cachedData !== undefined };
}

/** Parts that are loaded on demand, but by many: they have a code cache of their own. */
const CACHED_PARTS = ['./grpc.js'];

/** The parts that were compiled here, by name: V8's scripts. */
const partScripts = new Map();

/** Loads such a part once, for the bundle and for other parts. */
function requirePart(id) {
  const file = path.join(__dirname, id);
  const known = require.cache[file];
  if (known !== undefined) return known.exports;
  const name = path.basename(id, '.js');
  const source = Module.wrap(fs.readFileSync(file, 'utf8'));
  const cachedData = readIfThere(cacheFileOf(name));
  const script = new vm.Script(source, { filename: file, cachedData });
  partScripts.set(name, script);
  const part = new Module(file, module);
  part.filename = file;
  require.cache[file] = part;
  const run = script.runInThisContext();
  run.call(part.exports, part.exports, part.require.bind(part), part, file, __dirname);
  part.loaded = true;
  return part.exports;
}

/** Runs a bundle. Returns what {@link compile} does, and the bundle's exports. */
function launch(name) {
  const compiled = compile(name);
  const file = path.join(__dirname, `${name}.js`);
  const main = new Module(file, null);
  main.filename = file;
  main.paths = Module._nodeModulePaths(__dirname);
  const requireAny = (id) => (CACHED_PARTS.includes(id) ? requirePart(id) : main.require(id));
  const run = compiled.script.runInThisContext();
  run.call(main.exports, main.exports, requireAny, main, file, __dirname);
  return { ...compiled, exports: main.exports };
}

/** Writes the code of a script that has run to a file: whole, or not at all. */
function saveCode(script, file) {
  // V8 accepts cached code only if it was compiled with the same flags. At start, src/runtime/heap.ts has not
  // set these flags yet: V8's defaults.
  setFlagsFromString('--heap-growing-percent=0');
  setFlagsFromString('--semi-space-growth-factor=2');
  const unfinished = `${file}.${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(unfinished, script.createCachedData(), { flag: 'wx' });
  fs.renameSync(unfinished, file);
}

/** True if a folder is this user's, or can be made in one that is: root may run with another's HOME. */
function isOwnFolder(folder) {
  const status = fs.statSync(folder, { throwIfNoEntry: false });
  return status === undefined ? isOwnFolder(path.dirname(folder)) : isOwn(status);
}

/** Keeps the code of a run for the next one, beside the bundle or, where that can't be written, for this user. */
function keepCode(name, { script, source }) {
  const own = ownCacheFileOf(name, source);
  for (const file of [cacheFileOf(name), own]) {
    if (file === undefined) continue;
    try {
      if (file === own && !isOwnFolder(path.dirname(own))) return;
      return saveCode(script, file);
    } catch {
      // Without a cache, only the start takes longer.
    }
  }
}

/**
 * Runs what the command line names. A run that has done what others will do keeps its code if there is none yet:
 * a sidecar that has served, or `holdfast run`.
 */
function start() {
  keepDebuggerShut();
  const args = process.argv.slice(2);
  const name = bundleFor(args);
  const launched = launch(name);
  let isTypical = args[0] === 'run';
  // The sidecar starts as it is loaded.
  launched.exports.main?.(args);
  launched.exports.serving?.then((serves) => (isTypical = serves));
  if (launched.isCached) return;
  process.once('exit', (code) => {
    if (isTypical && code === 0) keepCode(name, launched);
  });
}

module.exports = {
  COMMANDS,
  cacheFileOf,
  compile,
  launch,
  partScripts,
  requirePart,
  saveCode,
  start,
};

if (require.main === module) {
  takeNameOfDaprd(process.argv.slice(2));
  start();
}
