import { connect, createServer } from 'node:net';

/** True where this machine has that address. */
export function canBind(host: string): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(0, host, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/** True where something listens there. */
export function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
