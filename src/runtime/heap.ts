import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often the size of buffers is checked, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/**
 * Unused buffers are collected after buffers have grown by this many bytes, which is more than
 * usual loads leave. V8 alone waits until there are 64 MiB of them outside its heap, and keeps that
 * much if no more are added.
 */
const BUFFER_GROWTH_BYTES = 16 * 2 ** 20;

/**
 * How much the heap may grow beyond its live objects before V8 collects it, in percent. V8's
 * default is up to 300. Some objects of every call reach the old generation before they die, so a
 * sidecar would permanently use three times the memory that it needs, plus what those objects hold
 * outside the heap (docs/decisions/0011).
 */
const GROWTH_PERCENT = 30;

/**
 * By how much V8 makes the space of young objects larger once many of them survive a scavenge. Its
 * default is 2, up to two halves of 16 MiB on Node 20 and 32 MiB on Node 26, and it never gives them
 * back under load. 1 keeps the two halves of 4 MiB that a start needs.
 */
const KEPT_YOUNG_SPACE = 1;

/**
 * Configures V8 for a small heap, because a sidecar runs beside every app. Collects unused buffers
 * after they have grown.
 *
 * The flag is set here instead of on the command line for two reasons: V8 accepts cached code only
 * if it was compiled with the same flags, and `node dist/main.js` should be the whole command.
 */
export function keepHeapSmall({
  leavesLittle,
}: {
  /**
   * True if calls leave so little that a small space of young objects does: those of our own HTTP/2
   * (docs/decisions/0011).
   */
  readonly leavesLittle: boolean;
}): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  if (leavesLittle) setFlagsFromString(`--semi-space-growth-factor=${KEPT_YOUNG_SPACE}`);
  setInterval(collectAfterGrowth(lateCollector(), readBufferBytes), LOOK_EVERY_MS).unref();
}

/**
 * Creates a function to be called at intervals. It collects garbage if buffers have grown by
 * {@link BUFFER_GROWTH_BYTES} over their minimum since the last collection. Buffers in use therefore cause
 * only one useless collection, and not one at every check.
 *
 * @param readBytes returns the total size of buffers in bytes
 */
export function collectAfterGrowth(collect: () => void, readBytes: () => number): () => void {
  let leastBytes = readBytes();
  return () => {
    leastBytes = Math.min(leastBytes, readBytes());
    if (readBytes() - leastBytes <= BUFFER_GROWTH_BYTES) return;
    collect();
    leastBytes = readBytes();
  };
}

function readBufferBytes(): number {
  return process.memoryUsage().arrayBuffers;
}

/** Most sidecars never need the collector, so it is located at its first use. */
function lateCollector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    collect ??= findCollector();
    collect?.();
  };
}

/** V8 exposes its collector to contexts that are created while this flag is set. */
function findCollector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
