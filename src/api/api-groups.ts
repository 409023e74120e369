/**
 * A group of the API that a configuration can allow and deny. `locks` is the group of the native
 * API; all others are Dapr's.
 */
export type ApiGroup = 'lock' | 'unlock' | 'locks' | 'metadata' | 'shutdown' | 'invoke';

/**
 * The callers that may call a method. A group: callers to whom the configuration allows the group. `always`:
 * everybody with the API token. `probe`: everybody, because kubelets and load balancers can't send
 * a token. `page`: everybody, because a browser can't send a token with its request for a page; only
 * for what is the same in every sidecar.
 */
export type MethodAccess = Exclude<ApiGroup, 'invoke'> | 'always' | 'probe' | 'page';

/** True if a method may be called without the API token. */
export function isOpenToAll(method: { readonly access: MethodAccess } | undefined): boolean {
  return method?.access === 'probe' || method?.access === 'page';
}

/** Returns true if the current configuration allows a group of the API over a transport. */
export type ApiAccess = (group: ApiGroup, protocol: 'http' | 'grpc') => boolean;

/** True if the configuration allows a method. A path without a method is never served. */
export function isServed(
  method: { readonly access: MethodAccess } | undefined,
  protocol: 'http' | 'grpc',
  isAllowed: ApiAccess,
): boolean {
  if (method === undefined) return false;
  const { access } = method;
  if (access === 'always' || access === 'probe' || access === 'page') return true;
  return isAllowed(access, protocol);
}
