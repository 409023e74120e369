'use strict';
// The floor under our HTTP: the least that a POST costs on Fastify. It answers the lock routes' own
// paths with the JSON it got, by Fastify's own parser and serialiser, without a log. Plain JavaScript
// for the reason in grpc-echo.js. Usage: node fastify-echo.js PORT

const fastify = require('fastify');

const server = fastify();
for (const action of ['lock', 'unlock']) {
  server.post(`/v1.0-alpha1/${action}/:store`, async (request) => request.body);
}
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]) }).catch((error) => {
  throw error;
});

// An end of its own: a signal's would leave no profile (`--profile`).
process.once('SIGTERM', () => process.exit());
