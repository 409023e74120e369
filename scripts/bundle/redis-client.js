'use strict';
// node-redis for the bundle: its client and its errors, with the commands that are sent and no other.
// It puts each of its 400 commands, under two names, on every kind of client and of transaction that
// is made: a fifth of a start, and memory that no sidecar uses. Its modules (JSON, search and so on)
// stay out for the same reason.

const { replaceModules } = require('./replace-modules');

/**
 * The commands that are sent, by the name of the method, with the file that defines each. A test
 * compares them with the methods that the Redis store calls.
 */
const SENT_BY_THE_STORE = {
  eval: 'EVAL',
  evalSha: 'EVALSHA',
  info: 'INFO',
  ping: 'PING',
  role: 'ROLE',
  set: 'SET',
  time: 'TIME',
};

/** What the client itself takes from the list: at a handshake. */
const SENT_BY_THE_CLIENT = { AUTH: 'AUTH', CLIENT_SETNAME: 'CLIENT_SETNAME', READONLY: 'READONLY' };

/** node-redis's list of commands, shortened to those. */
function commandsSource() {
  const commands = Object.entries({ ...SENT_BY_THE_CLIENT, ...SENT_BY_THE_STORE });
  const members = commands.map(([name, file]) => `${name}: require('./${file}').default`);
  return `exports.__esModule = true; exports.default = { ${members.join(', ')} }; exports.NON_STICKY_COMMANDS = {};`;
}

/** What may be imported from node-redis. */
const CLIENT_SOURCE = `
  Object.assign(exports, require('@redis/client/dist/lib/errors'));
  exports.createClient = require('@redis/client/dist/lib/client').default.create;`;

/** esbuild's plugin for that. */
const redisClient = replaceModules('redis-client', {
  'redis/dist/index.js': () => CLIENT_SOURCE,
  '@redis/client/dist/lib/commands/index.js': commandsSource,
});

module.exports = { CLIENT_SOURCE, SENT_BY_THE_CLIENT, SENT_BY_THE_STORE, redisClient };
