import type { LockInfo } from '../native-lock-service';
import type { CatalogEntry } from '../store-catalog';
import type { LockView } from '../store-abilities';

/**
 * A lock as clients see it. Undefined if the key belongs to another app: without a key prefix, the
 * locks of other apps are among those of this component.
 */
export function toLockInfo({ keyPrefix }: CatalogEntry, view: LockView): LockInfo | undefined {
  const resourceId = view.key.slice(keyPrefix.text.length);
  if (resourceId === '' || resourceId.includes('||')) return undefined;
  const { owner: lockOwner, fencingToken, leftMs, expiresAtMs, waiters } = view;
  const ttlMs = leftMs === undefined ? undefined : Math.max(0, Math.floor(leftMs));
  return { resourceId, lockOwner, fencingToken, ttlMs, expiresAtMs, waiters };
}
