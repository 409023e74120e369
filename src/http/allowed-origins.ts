/** Tells whether pages of an origin may call (--allowed-origins). */
export type OriginCheck = (origin: string) => boolean;

/**
 * Makes the check for a list of origins, as go-chi/cors matches them.
 *
 * @param allowedOrigins each may have one `*` in it; a lone `*` is any origin
 */
export function createOriginCheck(allowedOrigins: readonly string[]): OriginCheck {
  const allowsAll = allowedOrigins.includes('*');
  const patterns = allowedOrigins.map(toPattern);
  return (origin) =>
    origin !== '' && (allowsAll || patterns.some((pattern) => pattern.test(origin)));
}

function toPattern(origin: string): RegExp {
  const parts = origin.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i');
}
