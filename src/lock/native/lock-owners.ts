import { randomBytes } from 'node:crypto';

/**
 * 64 random bits. A collision between two owners of one sidecar is expected once in billions of
 * years.
 */
const RANDOM_BYTES = 8;

/**
 * Creates an owner for a call that names none. It tells an operator who holds the lock: the app,
 * the host (in Kubernetes the pod), and a random part that distinguishes the call.
 */
export function drawLockOwner({
  appId,
  hostName,
}: {
  readonly appId: string;
  readonly hostName: string;
}): string {
  return [appId, hostName, randomBytes(RANDOM_BYTES).toString('hex')]
    .filter((part) => part !== '')
    .join('/');
}
