'use strict';
// Runs before `npm run test:grpc-interop`. Builds the interop client of grpc-go by `go install` into a
// cache folder, unless it is there. Without Go, prints what to install.

const { existsSync } = require('node:fs');
const path = require('node:path');

const { installByGo, toolFolder } = require('./find-binary');

/** The version that is built. It is pinned only here. */
const VERSION = 'v1.85.0';
const MODULE = `google.golang.org/grpc/interop/client@${VERSION}`;

/** The path of the client, built or not. */
function interopClientPath(env) {
  return path.join(toolFolder(env), `grpc-interop-${VERSION}`, 'client');
}

function main() {
  const file = interopClientPath(process.env);
  if (existsSync(file) || installByGo(MODULE, file, process.env)) return;
  console.error(
    `The interop tests of gRPC need a client. Install Go, and by it:\n  go install ${MODULE}`,
  );
  process.exitCode = 1;
}

module.exports = { interopClientPath };

if (require.main === module) main();
