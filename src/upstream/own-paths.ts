/**
 * The calls that are answered here whatever stands behind: a lock call that reached the upstream
 * would take a lock in another store, and two programs would hold it. So the check is wider than
 * the routes. It covers every way in which a server might read a path (escapes, case, slashes, dot
 * segments) and every version of Dapr's lock API.
 */

/** The names in the paths of Dapr's lock API over HTTP. */
const LOCK_NAMES: readonly (string | undefined)[] = ['lock', 'unlock'];

/** The first segment of a path of Dapr's API: `v1.0`, `v1.0-alpha1`, `v2`. */
const VERSION = /^v\d[\w.-]*$/;

/** The first segment of the paths of the native API and of its page. */
const NATIVE = 'holdfast';

/** How often escapes are decoded. `%256C` is `%6C`, and that is `l`. */
const DECODINGS = 3;

/**
 * True if a request is never passed on: a path of the lock API or of Holdfast's own, or one that
 * could be read as such.
 *
 * @param target the request target as it was received
 */
export function isOwnTarget(target: string): boolean {
  const segments = segmentsOf(target);
  // Servers remove dot segments before or after they decode, and pop other segments by them. So
  // the names count wherever they stand.
  if (segments.includes('..')) {
    const isLock = segments.some((segment) => LOCK_NAMES.includes(segment));
    return segments.includes(NATIVE) || (isLock && segments.some((name) => VERSION.test(name)));
  }
  const [first = '', second] = segments;
  return first === NATIVE || (VERSION.test(first) && LOCK_NAMES.includes(second));
}

/** Services that are answered here as a whole. */
const OWN_SERVICES = /^(?:holdfast\.|grpc\.health\.|grpc\.reflection\.)/;

const DAPR_SERVICE = 'dapr.proto.runtime.v1.dapr';

/** The methods of Dapr's lock API, in any version: TryLockAlpha1, UnlockAlpha1. */
const LOCK_METHOD = /^(?:try|un)?lock/;

/**
 * True if a gRPC call is never passed on: a method of the lock API or of Holdfast's own services, or
 * a path that some server could read as such. grpc-go, for example, ignores a missing first slash.
 *
 * @param path the `:path` of the call
 */
export function isOwnGrpcPath(path: string): boolean {
  if (!path.startsWith('/')) return true;
  const segments = segmentsOf(path);
  if (segments.some((segment) => OWN_SERVICES.test(segment))) return true;
  const hasDots = segments.includes('..');
  return segments.some((segment, at) => {
    if (segment !== DAPR_SERVICE) return false;
    const methods = hasDots ? segments : segments.slice(at + 1, at + 2);
    return methods.some((method) => LOCK_METHOD.test(method));
  });
}

/**
 * The segments of a path, decoded and in lower case. The query is cut off before decoding: an
 * escaped `?` belongs to the path. Some servers cut a segment at a semicolon (matrix parameters), or
 * at a `?` or `#` once it is decoded.
 */
function segmentsOf(target: string): readonly string[] {
  return decode(target.split('?', 1)[0] ?? '')
    .replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
    .split(/[/\\]/)
    .map((segment) => (segment.split(/[;?#]/, 1)[0] ?? '').trim().toLowerCase())
    .filter((segment) => segment !== '' && segment !== '.');
}

function decode(text: string): string {
  let decoded = text;
  for (let round = 0; round < DECODINGS && decoded.includes('%'); round += 1) {
    decoded = decoded.replace(/%([\da-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
  }
  return decoded;
}
