import { createHash } from 'node:crypto';

/** daprd's lowest internal port (dapr/dapr pkg/ports/ports.go). */
const LOWEST = 47_300;
const HIGHEST = 65_535;

/**
 * The port that is named as the internal gRPC port where none is given: the same for the same app in
 * the same place, as daprd's. Nothing listens on it.
 */
export function toInternalPort(identity: readonly string[]): number {
  const hash = createHash('sha256').update(identity.join('|')).digest().readUInt32BE();
  return LOWEST + (hash % (HIGHEST - LOWEST + 1));
}
