import type { IncomingHttpHeaders } from 'node:http';
import { isIPv4 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

import type { FastifyInstance } from 'fastify';

import { createOriginCheck } from './allowed-origins';
import { sendError } from './error-handling';
import { httpErrors } from './http-errors';

/** Requests that change nothing here, whoever sends them (RFC 9110, 9.2.1). */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** What a call is called that a browser marks as foreign without naming its origin. */
const UNNAMED = 'an unnamed origin';

/** The most of an origin that is repeated to who sent it, in characters. */
const SHOWN_CHARACTERS = 200;

/**
 * Refuses calls that change something where a browser says that they come from a page of another
 * origin, unless --allowed-origins has it. Without this any page that somebody on this machine has open could
 * take locks, or stop the sidecar: a POST of plain text needs no preflight. Programs that are no
 * browsers send neither `Origin` nor `Sec-Fetch-Site`, and are asked for nothing.
 *
 * To be added after the token and the routes were looked at: what is refused there is answered as by daprd.
 */
export function addForeignOriginCheck(
  instance: FastifyInstance,
  allowedOrigins: readonly string[],
): void {
  const isAllowed = createOriginCheck(allowedOrigins);
  const allowsAll = allowedOrigins.includes('*');
  instance.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request;
    const origin = SAFE_METHODS.includes(method) ? undefined : foreignOriginOf(headers);
    if (origin === undefined || allowsAll || isAllowed(origin)) done();
    else sendError(reply, httpErrors.foreignOrigin(origin.slice(0, SHOWN_CHARACTERS)));
  });
}

/**
 * The origin of the page that a browser sent a request for, where it is not this server's own: another
 * one than the Host that was called, or that Host where it is no name of this machine. A page can
 * have its own name point to this machine once it is loaded (DNS rebinding), and is of one origin with it.
 * Undefined for requests of the sidecar's own origin, and of programs that are no browsers.
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

/** True where both are one host and port; without an Origin there is nothing to compare. */
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
  // By the scheme of the page, `x` and `x:443` are the same to one over TLS.
  return page.host === parseUrl(`${page.protocol}//${host}`)?.host;
}

/** True for loopback, and for the addresses and the names of this machine. */
function isThisMachine(host: string): boolean {
  const name = parseUrl(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  if (/^(?:.+\.)?localhost$/.test(name) || (isIPv4(name) && name.startsWith('127.'))) return true;
  const own = hostname().toLowerCase();
  if (name === own || name === own.split('.', 1)[0]) return name !== '';
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return addressesOfThisMachine().includes(address);
}

function addressesOfThisMachine(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
