'use strict';
// The floor under our memory and our start: a Node process that answers over HTTP and does nothing
// else. Usage: node node-http.js PORT

const { createServer } = require('node:http');

createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end('{}'));
}).listen(Number(process.argv[2]), '127.0.0.1');

// An end of its own: a signal's would leave no profile (`--profile`).
process.once('SIGTERM', () => process.exit());
