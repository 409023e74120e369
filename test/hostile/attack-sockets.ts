import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * A TCP connection of an attacker to a port of the loopback interface. That it is closed under the
 * attack is a defence, no error. What arrives is thrown away; `pause` it to read nothing.
 */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}

/** Opens so many of them, one after another: a listen queue is short. */
export async function openSockets(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) sockets.push(await openSocket(port));
  return sockets;
}

/** Writes, and waits until the kernel has taken it all, the connection is closed, or the time is over. */
export async function pour(
  socket: Socket,
  bytes: Buffer | string,
  withinMs: number,
): Promise<void> {
  if (socket.destroyed || !socket.writable) return;
  const over = new AbortController();
  const taken = new Promise<void>((resolve) => {
    socket.write(bytes, () => {
      resolve();
    });
    socket.once('close', () => {
      resolve();
    });
  });
  await Promise.race([taken, pause(withinMs, undefined, { signal: over.signal }).catch(() => 0)]);
  over.abort();
}

/** How many bytes have come over all of these connections so far. */
export function countReceived(sockets: readonly Socket[]): number {
  return sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}
