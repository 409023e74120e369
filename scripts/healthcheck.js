'use strict';
// The image's HEALTHCHECK: whether the sidecar in this container says that it has started. Its
// port is read off the process itself (pid 1), as --dapr-http-port may name another than 3500.

const { readFileSync } = require('node:fs');

/** The HTTP port that a command line names, 3500 where it names none. */
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
