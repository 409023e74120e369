import type { Http2Server } from 'node:http2';

/**
 * Lets the new connections of a server receive as many header fields as others do. grpc-js creates
 * its servers without this option of node:http2, which reads it at each connection. If a version of
 * Node keeps its options elsewhere, nothing is changed.
 *
 * @param most the highest number of fields
 * @returns true if it is changed
 */
export function allowManyHeaders(server: Http2Server, most: number): boolean {
  const key = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'options',
  );
  if (key === undefined) return false;
  const options = (server as unknown as Record<symbol, unknown>)[key];
  if (typeof options !== 'object' || options === null) return false;
  (options as { maxHeaderListPairs?: number }).maxHeaderListPairs = most;
  return true;
}
