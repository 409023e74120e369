import { createHash, timingSafeEqual } from 'node:crypto';

/** The header (HTTP) and metadata key (gRPC) that carries the API token. */
export const API_TOKEN_HEADER = 'dapr-api-token';

/** The result of a token check. gRPC distinguishes a `missing` token from a wrong one. */
export type TokenVerdict = 'valid' | 'missing' | 'mismatch';

/**
 * Checks the token of a call; undefined if the call has none. Both transports pass it as Node reads
 * headers: one character for each byte (latin1).
 */
export type TokenCheck = (given: string | undefined) => TokenVerdict;

/**
 * Creates the check for the sidecar's token (DAPR_API_TOKEN). Undefined if the sidecar has no
 * token; then tokens of calls are ignored. Tokens are compared as bytes and in constant time.
 */
export function createTokenCheck(token: string | undefined): TokenCheck | undefined {
  if (token === undefined || token === '') return undefined;
  const expected = digest(Buffer.from(token));
  return (given) => {
    if (given === undefined) return 'missing';
    // Buffer.from would reduce a larger character to its low byte.
    if (/[^\0-\xff]/.test(given)) return 'mismatch';
    return timingSafeEqual(digest(Buffer.from(given, 'latin1')), expected) ? 'valid' : 'mismatch';
  };
}

// timingSafeEqual needs inputs of equal length.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
