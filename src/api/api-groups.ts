/** A group of the API that a configuration can allow and deny; health probes always are allowed. */
export type ApiGroup = 'lock' | 'unlock' | 'metadata' | 'shutdown' | 'invoke';

/** Tells whether a group of the API may be called over a transport, as the configuration is now. */
export type ApiAccess = (group: ApiGroup, protocol: 'http' | 'grpc') => boolean;
