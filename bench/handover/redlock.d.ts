/** The part of redlock 4 that the benchmark uses. The package has no types of its own. */
declare module 'redlock' {
  import type { Redis } from 'ioredis';

  class Redlock {
    constructor(clients: readonly Redis[], options: { readonly retryCount: number });
    lock(resource: string, ttlMs: number): Promise<{ unlock(): Promise<void> }>;
  }
  export = Redlock;
}
