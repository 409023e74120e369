'use strict';
// node-redis as the tests load it (jest.config.js): all clients of a protocol share one class. node-redis makes one
// for each set of options, with all of its 400 commands, which takes 40 ms. The tests make thousands of clients.
// The bundle has a few of the commands only (scripts/bundle/redis-client.js), and starts that sidecar once.

const client = require('@redis/client');

/** A client of each protocol, which never connects. */
const originals = new Map();

function createClient(options = {}) {
  // They bring commands of their own.
  if (options.modules || options.functions || options.scripts) return client.createClient(options);
  const { RESP } = options;
  if (!originals.has(RESP)) originals.set(RESP, client.createClient({ RESP }));
  return originals.get(RESP).duplicate(options);
}

module.exports = { ...client, createClient };
