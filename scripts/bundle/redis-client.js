'use strict';
// node-redis for the bundle: its client and its errors, with the commands that are sent and no other.
// It puts each of its 400 commands, under two names, on every kind of client and of transaction that
// is made: a fifth of a start, and memory that no sidecar uses.

const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const { replaceModules } = require('./replace-modules');

const root = path.join(__dirname, '..', '..');
const library = path.join(root, 'node_modules/@redis/client/dist/lib');

/** What the client itself takes from the list: at a handshake. */
const SENT_BY_THE_CLIENT = ['AUTH', 'CLIENT_SETNAME', 'READONLY'];

/** Every name that stands after a dot in the sources of the Redis store: all commands are among them. */
function namesInUse() {
  const folder = path.join(root, 'src/stores/redis');
  const sources = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'));
  return new Set(sources.flatMap((source) => source.match(/(?<=\.)\w+/g)));
}

/** The names and files of the commands that may be sent. */
function commandsInUse() {
  const { default: all } = require(path.join(library, 'commands'));
  const names = Object.keys(all);
  const inUse = namesInUse();
  // A command is listed twice: as its file is called, and as its method is.
  const fileOf = (method) => names.find((name) => name !== method && all[name] === all[method]);
  return [
    ...SENT_BY_THE_CLIENT.map((name) => ({ name, file: name })),
    ...names.filter((name) => inUse.has(name)).map((name) => ({ name, file: fileOf(name) })),
  ];
}

/** node-redis's list of commands, shortened to those. */
function commandsSource() {
  const entries = commandsInUse().map(({ name, file }) => `${name}: require('./${file}').default`);
  return `exports.__esModule = true; exports.default = { ${entries.join(', ')} }; exports.NON_STICKY_COMMANDS = {};`;
}

/** What may be imported from node-redis. */
const CLIENT_SOURCE = `
  Object.assign(exports, require('./lib/errors'));
  exports.createClient = require('./lib/client').default.create;`;

/** esbuild's plugin for that. */
const redisClient = replaceModules('redis-client', {
  '@redis/client/dist/index.js': () => CLIENT_SOURCE,
  '@redis/client/dist/lib/commands/index.js': commandsSource,
});

module.exports = { CLIENT_SOURCE, commandsInUse, redisClient };
