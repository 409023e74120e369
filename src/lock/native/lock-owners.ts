import { randomBytes } from 'node:crypto';

/** 64 random bits: two owners of one sidecar are alike by chance once in billions of years. */
const RANDOM_BYTES = 8;

/**
 * Draws an owner for a call that names none. It is read at 3 a.m. by whoever asks who holds a lock: the app, the host
 * (in Kubernetes the pod), and what tells this call from the others.
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
