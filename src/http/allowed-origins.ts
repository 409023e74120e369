/** Returns true if pages of an origin may call the API (--allowed-origins). */
export type OriginCheck = (origin: string) => boolean;

/**
 * Creates the check for a list of origins. It matches them as go-chi/cors does.
 *
 * @param allowedOrigins each may contain one `*`; a lone `*` matches any origin
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
