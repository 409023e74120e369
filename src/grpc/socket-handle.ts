import type { Socket } from 'node:net';

/**
 * node:net's internal handle of a socket. There is no public access to it once HTTP/2 uses the
 * socket.
 */
interface Handle {
  readStop?: () => void;
  readStart?: () => void;
  /** Bytes that the kernel has not accepted yet. */
  readonly writeQueueSize?: number;
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as unknown as { readonly _handle?: Handle | null })._handle;
}

/**
 * Pauses or resumes reading from a socket. node:http2 resumes it by itself when a write completes.
 */
export function setReading(socket: Socket, isOn: boolean): void {
  const handle = handleOf(socket);
  if (isOn) handle?.readStart?.();
  else handle?.readStop?.();
}

/** True while sent data waits for the kernel to accept it. */
export function hasUnsent(socket: Socket): boolean {
  return (handleOf(socket)?.writeQueueSize ?? 0) > 0;
}
