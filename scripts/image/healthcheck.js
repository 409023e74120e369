'use strict';
// The HEALTHCHECK of the image: succeeds if the sidecar in this container has started. Reads the
// port from the command line of the process (pid 1), because --dapr-http-port may name another than
// 3500.

const { readFileSync } = require('node:fs');

/** The HTTP port in a command line. 3500 if it has none. */
function toHttpPort(commandLine) {
  const words = commandLine.join(' ').replaceAll('=', ' ').split(' ');
  const at = words.findLastIndex((word) => /^--?dapr-http-port$/.test(word));
  return at === -1 ? '3500' : words[at + 1];
}

async function main() {
  const port = toHttpPort(readFileSync('/proc/1/cmdline', 'utf8').split('\0'));
  const { status } = await fetch(`http://localhost:${port}/v1.0/healthz`);
  if (status !== 204) throw new Error(`/v1.0/healthz answered ${status}`);
}

module.exports = { toHttpPort };

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
