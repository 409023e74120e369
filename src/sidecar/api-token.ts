import { createHash, timingSafeEqual } from 'node:crypto';

/** The header (HTTP) and metadata key (gRPC) that carries the API token. */
export const API_TOKEN_HEADER = 'dapr-api-token';

/** What a call's token is worth: a `missing` and a wrong one are told apart over gRPC. */
export type TokenVerdict = 'valid' | 'missing' | 'mismatch';

/** Judges the token of a call, undefined where the call carries none. */
export type TokenCheck = (given: string | undefined) => TokenVerdict;

/**
 * Makes the check for the sidecar's token (DAPR_API_TOKEN); undefined where it has none, and
 * then whatever a call carries is ignored. The comparison takes the same time for every token.
 */
export function createTokenCheck(token: string | undefined): TokenCheck | undefined {
  if (token === undefined || token === '') return undefined;
  const expected = digest(token);
  return (given) => {
    if (given === undefined) return 'missing';
    return timingSafeEqual(digest(given), expected) ? 'valid' : 'mismatch';
  };
}

// Digests have one length, which timingSafeEqual needs.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
