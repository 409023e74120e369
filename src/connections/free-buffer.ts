import { MessageChannel } from 'node:worker_threads';

/** A shorter buffer is left to the garbage collector, in bytes: it is soon there. */
const LONG_BYTES = 64 * 1024;

/**
 * Gives the memory of a long buffer back at once. V8 does not look for buffers that nobody uses before
 * they are 64 MiB, and then keeps that much for whoever sends nothing more. The buffer is empty from now
 * on, and so is all that was cut out of it: who still reads it by mistake sees nobody else's bytes.
 *
 * Node 20 has no ArrayBuffer.prototype.transfer; a message that is sent to nobody takes its bytes along.
 */
export function freeBuffer({ buffer }: Buffer): void {
  if (buffer.byteLength < LONG_BYTES) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [buffer as ArrayBuffer]);
}
