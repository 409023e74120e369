import { createHash } from 'node:crypto';

/** daprd's lowest internal port (dapr/dapr pkg/ports/ports.go). */
const LOWEST = 47_300;
const HIGHEST = 65_535;

/**
 * The internal gRPC port to show in the log if no flag sets one. As in daprd, it is the same for
 * the same app in the same place. Nothing listens on it.
 */
export function toInternalPort(identity: readonly string[]): number {
  const hash = createHash('sha256').update(identity.join('|')).digest().readUInt32BE();
  return LOWEST + (hash % (HIGHEST - LOWEST + 1));
}
