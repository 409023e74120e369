import { createHash, timingSafeEqual } from 'node:crypto';

/** The header (HTTP) and metadata key (gRPC) that carries the API token. */
export const API_TOKEN_HEADER = 'dapr-api-token';

/** What a call's token is worth: a `missing` and a wrong one are told apart over gRPC. */
export type TokenVerdict = 'valid' | 'missing' | 'mismatch';

/**
 * Judges the token of a call, undefined where the call carries none. Both transports hand it over as Node
 * reads headers: a character for each byte (latin1).
 */
export type TokenCheck = (given: string | undefined) => TokenVerdict;

/**
 * Makes the check for the sidecar's token (DAPR_API_TOKEN); undefined where it has none, and
 * then whatever a call carries is ignored. It is compared by its bytes, and
 * in the same time for every token.
 */
export function createTokenCheck(token: string | undefined): TokenCheck | undefined {
  if (token === undefined || token === '') return undefined;
  const expected = digest(Buffer.from(token));
  return (given) => {
    if (given === undefined) return 'missing';
    // A character that is no byte would count as its low half.
    if (/[^\0-\xff]/.test(given)) return 'mismatch';
    return timingSafeEqual(digest(Buffer.from(given, 'latin1')), expected) ? 'valid' : 'mismatch';
  };
}

// Digests have one length, which timingSafeEqual needs.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
