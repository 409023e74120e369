import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often is looked at how much buffers take, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/**
 * By how many bytes buffers may grow before those that nobody uses are collected: more than usual loads
 * leave. V8 alone waits until there are 64 MiB of them outside its heap, and keeps that much where
 * nothing more comes.
 */
const BUFFER_GROWTH_BYTES = 16 * 2 ** 20;

/**
 * How much the heap may grow over what lives in it, in percent, before V8 collects it. V8's own
 * answer is up to 300: some of every call's objects grow old before they die, and a sidecar keeps
 * three times what it needs, and what they hold outside the heap, for ever (docs/decisions/0011).
 */
const GROWTH_PERCENT = 30;

/**
 * Makes V8 keep a heap for a sidecar: small, as there is one beside every app. Its buffers are collected
 * whenever they have grown much.
 *
 * Set here and not on the command line: V8 takes compiled code only from where its flags were the
 * same, and `node dist/main.js` is to be all that it takes.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setInterval(collectAfterGrowth(lateCollector(), readBufferBytes), LOOK_EVERY_MS).unref();
}

/**
 * Makes what is to be called again and again: it collects where buffers have grown by
 * {@link BUFFER_GROWTH_BYTES} over the least that there was of them since the last collection. What is in use
 * is collected in vain once, and not every time.
 *
 * @param readBytes how many bytes there are in buffers
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

/** Most sidecars never need the collector: it is looked for when it is first used. */
function lateCollector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    collect ??= findCollector();
    collect?.();
  };
}

/** V8 shows its collector to contexts that are made while this flag is set. */
function findCollector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
