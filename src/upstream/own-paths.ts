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
  return readings(target).some(([first = '', second]) => {
    if (first === NATIVE) return true;
    return VERSION.test(first) && LOCK_NAMES.includes(second);
  });
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
  return readings(path).some((segments) =>
    segments.some((segment, at) => {
      const method = segments[at + 1] ?? '';
      return OWN_SERVICES.test(segment) || (segment === DAPR_SERVICE && LOCK_METHOD.test(method));
    }),
  );
}

/** The segments of a path in the two ways in which it can be read: with dot segments and without. */
function readings(target: string): readonly (readonly string[])[] {
  const path = decode(target)
    .replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '')
    .split(/[?#]/, 1)[0];
  const segments = (path ?? '')
    .split(/[/\\]/)
    // Some servers cut a segment at a semicolon (matrix parameters).
    .map((segment) => (segment.split(';', 1)[0] ?? '').trim().toLowerCase())
    .filter((segment) => segment !== '' && segment !== '.');
  return [withoutDots(segments), segments.filter((segment) => segment !== '..')];
}

function withoutDots(segments: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  return kept;
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
