import type { Socket } from 'node:net';

/** Errors by which the kernel says that the other end has closed a connection. */
const CLOSED_BY_CLIENT = ['ECONNRESET', 'EPIPE'];

/**
 * True for a connection that its client has ended: it closed it, or the process that had it is gone. False
 * for one that was given up here, or that timed out: its client may know nothing of that.
 */
export function isEndedByClient(socket: Socket): boolean {
  // @types/node leaves it out for sockets.
  const { errored } = socket as { readonly errored: NodeJS.ErrnoException | null };
  return socket.readableEnded || CLOSED_BY_CLIENT.includes(errored?.code ?? '');
}
