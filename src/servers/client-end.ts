import type { Socket } from 'node:net';

/** Errors by which the kernel says that the other end has closed a connection. */
const CLOSED_BY_CLIENT = ['ECONNRESET', 'EPIPE'];

/**
 * True if the client has ended the connection: it has closed it, or its process has exited. False
 * for a connection that was given up here or timed out; its client may not know of that.
 */
export function isEndedByClient(socket: Socket): boolean {
  // @types/node does not declare this property for sockets.
  const { errored } = socket as { readonly errored: NodeJS.ErrnoException | null };
  return socket.readableEnded || CLOSED_BY_CLIENT.includes(errored?.code ?? '');
}
