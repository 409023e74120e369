'use strict';
// A reduced node-redis for the bundle: its client, its errors, and only the commands that are sent.
// node-redis adds each of its 400 commands, under two names, to every kind of client and
// transaction. That takes a fifth of the start, and memory that no sidecar uses. Its modules (JSON,
// search and others) are left out for the same reason.

const { replaceModules } = require('./replace-modules');

/**
 * The commands that the store sends: the method name, and the file that defines it. A test compares
 * them with the methods that the Redis store calls.
 */
const SENT_BY_THE_STORE = {
  eval: 'EVAL',
  evalSha: 'EVALSHA',
  info: 'INFO',
  ping: 'PING',
  role: 'ROLE',
  scan: 'SCAN',
  set: 'SET',
  time: 'TIME',
};

/** The commands that the client itself uses, in its handshake. */
const SENT_BY_THE_CLIENT = { AUTH: 'AUTH', CLIENT_SETNAME: 'CLIENT_SETNAME', READONLY: 'READONLY' };

/** A list of commands that replaces node-redis's. */
function commandsSource() {
  const commands = Object.entries({ ...SENT_BY_THE_CLIENT, ...SENT_BY_THE_STORE });
  const members = commands.map(([name, file]) => `${name}: require('./${file}').default`);
  return `exports.__esModule = true; exports.default = { ${members.join(', ')} }; exports.NON_STICKY_COMMANDS = {};`;
}

/** The exports of node-redis that may be imported. */
const CLIENT_SOURCE = `
  Object.assign(exports, require('@redis/client/dist/lib/errors'));
  exports.createClient = require('@redis/client/dist/lib/client').default.create;`;

/** The esbuild plugin that replaces them. */
const redisClient = replaceModules('redis-client', {
  'redis/dist/index.js': () => CLIENT_SOURCE,
  '@redis/client/dist/lib/commands/index.js': commandsSource,
});

module.exports = { CLIENT_SOURCE, SENT_BY_THE_CLIENT, SENT_BY_THE_STORE, redisClient };
