import type { IncomingHttpHeaders } from 'node:http';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';

import type { FastifyInstance } from 'fastify';

import { readOwnAddresses } from '../base/own-addresses';
import { createOriginCheck } from './allowed-origins';
import { sendError } from './error-handling';
import { httpErrors } from './http-errors';

/** Methods that change nothing, whoever calls them (RFC 9110, 9.2.1). */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** Shown instead of the origin if a browser marks a call as foreign without naming its origin. */
const UNNAMED = 'an unnamed origin';

/** How many characters of an origin an error repeats. */
const SHOWN_CHARACTERS = 200;

/**
 * Refuses calls that change something if a browser sent them for a page of another origin, unless
 * --allowed-origins contains it. Otherwise any page that is open on this machine could take locks
 * or stop the sidecar, because a POST of plain text needs no preflight. Programs other than
 * browsers send neither `Origin` nor `Sec-Fetch-Site` and are not affected.
 *
 * Add this check after those of the token and the routes, so that requests which fail those are
 * answered as by daprd.
 */
export function addForeignOriginCheck(
  instance: FastifyInstance,
  allowedOrigins: readonly string[],
): void {
  const isAllowed = createOriginCheck(allowedOrigins);
  const allowsAll = allowedOrigins.includes('*');
  instance.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request.raw;
    const origin = SAFE_METHODS.includes(method ?? '') ? undefined : foreignOriginOf(headers);
    if (origin === undefined || allowsAll || isAllowed(origin)) done();
    else sendError(reply, httpErrors.foreignOrigin(origin.slice(0, SHOWN_CHARACTERS)));
  });
}

/**
 * The origin of the page for which a browser sent a request, if it is not the server's own. An
 * origin is foreign if it differs from the called Host, or if that Host is not a name of this
 * machine. The second rule is needed against DNS rebinding: a page can make its own name point to
 * this machine after it was loaded, and then has the same origin as the Host. Undefined for
 * requests of the sidecar's own origin and for programs other than browsers.
 */
export function foreignOriginOf(headers: IncomingHttpHeaders): string | undefined {
  const { origin = '', host = '' } = headers;
  const site = (headers['sec-fetch-site'] ?? '').toLowerCase();
  if (origin === '' && site === '') return undefined;
  const isMarkedForeign = site !== '' && site !== 'same-origin' && site !== 'none';
  const isOwn = !isMarkedForeign && isSameHost(origin, host) && isThisMachine(host);
  if (isOwn) return undefined;
  return origin === '' ? UNNAMED : origin;
}

/** True if both have the same host and port. Without an Origin there is nothing to compare. */
function isSameHost(origin: string, host: string): boolean {
  if (origin === '') return true;
  const page = parseUrl(origin);
  if (
    page === undefined ||
    !/^https?:$/.test(page.protocol) ||
    page.origin !== origin.toLowerCase()
  ) {
    return false;
  }
  // Parsed with the page's scheme, so that `x` and `x:443` are equal for a page over TLS.
  return page.host === parseUrl(`${page.protocol}//${host}`)?.host;
}

/** True for loopback and for the addresses and names of this machine. */
function isThisMachine(host: string): boolean {
  const name = parseUrl(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  if (/^(?:.+\.)?localhost$/.test(name) || (isIPv4(name) && name.startsWith('127.'))) return true;
  const own = hostname().toLowerCase();
  if (name === own || name === own.split('.', 1)[0]) return name !== '';
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return readOwnAddresses().some((own) => own.address === address);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
