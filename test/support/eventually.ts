import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until an assertion holds, and fails with its last failure once the stated allowance has
 * passed. For everything that is promised within a time.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  options: { readonly withinMs: number } = { withinMs: 5000 },
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(20);
    }
  }
}
