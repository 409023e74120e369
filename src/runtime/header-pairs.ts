import type { Http2Server } from 'node:http2';

/**
 * The most header fields of a call. Node allows 128, and resets a call with more; grpc-go, and so
 * daprd, bounds only their size, which node:http2 does as well (64 KiB).
 */
const MOST_HEADERS = 2000;

/**
 * Lets the new connections of a server receive as many header fields as others do. grpc-js creates
 * its servers without this option of node:http2, which reads it at each connection. If a version of
 * Node keeps its options elsewhere, nothing is changed.
 *
 * @returns true if it is changed
 */
export function allowManyHeaders(server: Http2Server): boolean {
  const key = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'options',
  );
  if (key === undefined) return false;
  const options = (server as unknown as Record<symbol, unknown>)[key];
  if (typeof options !== 'object' || options === null) return false;
  (options as { maxHeaderListPairs?: number }).maxHeaderListPairs = MOST_HEADERS;
  return true;
}
