#!/usr/bin/env node
'use strict';
// The HEALTHCHECK of the image: succeeds if the sidecar in this container has started. Reads where it listens
// from the command line of the process (pid 1). With --tls-client-ca-file, the API ports answer only clients that
// have a certificate; set --dapr-public-port then.

const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');

/** Below the --timeout of HEALTHCHECK, so that the reason is told. In milliseconds. */
const TIMEOUT_MS = 2500;

/** The last value of a flag in a command line, in daprd's forms. Undefined if it has none. */
function valueOf(flag, words) {
  const form = new RegExp(`^--?${flag}(?:=(.*))?$`, 's');
  const at = words.findLastIndex((word) => form.test(word));
  return at === -1 ? undefined : (form.exec(words[at])[1] ?? words[at + 1]);
}

/**
 * An address of a comma-separated list that a client in the container reaches. It is no name: some containers have
 * nothing that could resolve localhost.
 */
function toHost(addresses) {
  const hosts = addresses.split(',').map((address) => address.trim().replace(/^\[(.*)\]$/, '$1'));
  return hosts.some((host) => ['', '0.0.0.0', '::'].includes(host)) ? '127.0.0.1' : hosts[0];
}

/** Where the sidecar of a command line answers: options of node:http, and whether it wants TLS. */
function toTarget(words) {
  const given = (flag, otherwise) => valueOf(flag, words) || otherwise;
  const publicPort = given('dapr-public-port', '0');
  if (publicPort !== '0')
    return { host: toHost(given('dapr-public-listen-address', '')), port: publicPort };
  const folder = given('unix-domain-socket', '');
  const tls = given('tls-cert-file', '') === '' ? {} : { tls: true };
  if (folder !== '')
    return { socketPath: `${folder}/dapr-${given('app-id', '')}-http.socket`, ...tls };
  const host = toHost(given('dapr-listen-addresses', ''));
  return { host, port: given('dapr-http-port', '3500'), ...tls };
}

/** The status of /v1.0/healthz. */
function ask({ tls, ...target }) {
  // The certificate is for the clients' name of the host.
  const options = {
    ...target,
    path: '/v1.0/healthz',
    timeout: TIMEOUT_MS,
    rejectUnauthorized: false,
  };
  return new Promise((resolve, reject) => {
    const request = (tls ? https : http).get(options, ({ statusCode }) => resolve(statusCode));
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    request.once('error', reject);
  });
}

async function main() {
  const status = await ask(toTarget(readFileSync('/proc/1/cmdline', 'utf8').split('\0')));
  if (status !== 204) throw new Error(`/v1.0/healthz answered ${status}`);
  process.exit(0);
}

module.exports = { toTarget };

if (require.main === module) {
  main().catch((error) => {
    console.error(error.message || error.code);
    process.exit(1);
  });
}
