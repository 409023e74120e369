import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * Waits until the server has cut a connection. On some Nodes a connection that is cut with bytes
 * unread ends by a reset.
 */
export async function untilCut(socket: Socket): Promise<void> {
  await once(socket, 'end').catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });
}
