import type { Socket } from 'node:net';

/** What node:net keeps a socket by; it has no public way to it once HTTP/2 has the socket. */
interface Handle {
  readStop?: () => void;
  readStart?: () => void;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize?: number;
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as unknown as { readonly _handle?: Handle | null })._handle;
}

/** Stops the reading of a socket, or goes on with it. node:http2 goes on by itself when a write is done. */
export function setReading(socket: Socket, isOn: boolean): void {
  const handle = handleOf(socket);
  if (isOn) handle?.readStart?.();
  else handle?.readStop?.();
}

/** True while something that was sent waits for the kernel to take it. */
export function hasUnsent(socket: Socket): boolean {
  return (handleOf(socket)?.writeQueueSize ?? 0) > 0;
}
