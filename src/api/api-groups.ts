/** A group of the API that a configuration can allow and deny. */
export type ApiGroup = 'lock' | 'unlock' | 'metadata' | 'shutdown' | 'invoke';

/**
 * Who may call a method: whoever the configuration allows the group to; `always` anybody who has the
 * API token; `probe` everybody, as kubelets and load balancers can't be given a token.
 */
export type MethodAccess = Exclude<ApiGroup, 'invoke'> | 'always' | 'probe';

/** Tells whether a group of the API may be called over a transport, as the configuration is now. */
export type ApiAccess = (group: ApiGroup, protocol: 'http' | 'grpc') => boolean;

/** True where the configuration lets a method be called; a path without a method never may be. */
export function isServed(
  method: { readonly access: MethodAccess } | undefined,
  protocol: 'http' | 'grpc',
  isAllowed: ApiAccess,
): boolean {
  if (method === undefined) return false;
  const { access } = method;
  return access === 'always' || access === 'probe' || isAllowed(access, protocol);
}
