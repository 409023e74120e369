import { createClient } from 'redis';

import type { ServerProbe } from './stall-watch';

/** Asks a Redis over a connection of its own. Nothing is asked while it is away. */
export function createRedisProbe(port: number): ServerProbe {
  const client = createClient({
    socket: { host: '127.0.0.1', port, reconnectStrategy: 20 },
    disableOfflineQueue: true,
  });
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  return {
    ask: () => client.ping(),
    close: () => {
      client.destroy();
    },
  };
}
