import type { OutgoingHttpHeaders } from 'node:http2';

/** The names that node:http2 does not send twice (RFC 9110 gives each one value). */
const SINGLE_VALUED = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);

/**
 * Converts received headers to headers to send, with all values of a name in their order. node:http2
 * itself drops some of the repeated ones. Repeated values of a name that it sends only once are
 * joined by a comma, as RFC 9110 (5.3) permits.
 *
 * @param rawHeaders names and values in turn, as node:http2 passes them to its listeners
 */
export function toSentHeaders(rawHeaders: readonly string[]): OutgoingHttpHeaders {
  // Without a prototype: `constructor` and `__proto__` are names like others.
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    const known = headers[name];
    if (known === undefined || name.startsWith(':')) headers[name] = value;
    else if (SINGLE_VALUED.has(name)) headers[name] = `${String(known)}, ${value}`;
    else headers[name] = Array.isArray(known) ? [...known, value] : [known, value];
  }
  return headers;
}
