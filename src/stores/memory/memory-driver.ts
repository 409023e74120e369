import type { LockDriver } from '../driver';
import { createMemoryStore } from './memory-store';

/** `lock.in-memory`. It has no metadata. */
export const memoryDriver: LockDriver = {
  type: 'lock.in-memory',
  create: ({ observer }) => createMemoryStore({ now: () => performance.now(), observer }),
};
