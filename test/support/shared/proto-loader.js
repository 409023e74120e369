'use strict';
// proto-loader as the tests load it (jest.config.js): it reads a file once. A sidecar does so too; the tests of one
// file start a hundred servers, and each of them would take 60 ms to read the same files.

const loader = require('../../../node_modules/@grpc/proto-loader');

/** What was read, by file and options. */
const read = new Map();

function loadSync(file, options) {
  // `longs: Number` and `longs: String` are functions.
  const toText = (_name, value) => (typeof value === 'function' ? value.name : value);
  const key = JSON.stringify([file, options], toText);
  if (!read.has(key)) read.set(key, loader.loadSync(file, options));
  return read.get(key);
}

module.exports = { ...loader, loadSync };
