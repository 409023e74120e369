import { Agent, request } from 'node:http';

import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';

import { callDaprOver } from '../support/grpc-call';
import { SidecarProcess } from '../support/sidecar-process';

/** How a call of the load ended; refused means that no connection was to be had for it. */
type Ending = 'answered' | 'refused' | 'lost';

/** A call for a lock of its own, over connections that are kept. */
type Call = (resourceId: string) => Promise<Ending>;

const CALLERS = 50;

function createHttpCall(port: number): Call {
  const agent = new Agent({ keepAlive: true });
  return (resourceId) =>
    new Promise((resolve) => {
      const body = JSON.stringify({ resourceId, lockOwner: 'o', expiryInSeconds: 5 });
      const path = '/v1.0-alpha1/lock/lockstore';
      const outgoing = request({ port, method: 'POST', path, agent }, (response) => {
        response.resume().once('end', () => {
          resolve(response.statusCode === 200 ? 'answered' : 'lost');
        });
      });
      outgoing.once('error', ({ code }: NodeJS.ErrnoException) => {
        // A connection that waited to be accepted when the port was closed is reset by the kernel.
        const neverAccepted = code === 'ECONNRESET' && !outgoing.reusedSocket;
        resolve(code === 'ECONNREFUSED' || neverAccepted ? 'refused' : 'lost');
      });
      outgoing.end(body);
    });
}

function createGrpcCall(port: number): Call {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return async (resourceId) => {
    const message = { storeName: 'lockstore', resourceId, lockOwner: 'o', expiryInSeconds: 5 };
    try {
      await callDaprOver(client, { method: 'TryLockAlpha1', message });
      return 'answered';
    } catch (error) {
      client.close();
      return isRefused(error as ServiceError) ? 'refused' : 'lost';
    }
  };
}

function isRefused({ code, details }: ServiceError): boolean {
  return code === status.UNAVAILABLE && details.includes('ECONNREFUSED');
}

function isOver(ending: Ending | undefined): boolean {
  return ending === 'refused' || ending === 'lost';
}

describe('a sidecar that is stopped under load', () => {
  it.each([
    ['HTTP', (sidecar: SidecarProcess) => createHttpCall(sidecar.httpPort)],
    ['gRPC', (sidecar: SidecarProcess) => createGrpcCall(sidecar.grpcPort)],
  ])('answers or refuses every call over %s, and loses none', async (_name, createCall) => {
    const sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components'] });
    const call = createCall(sidecar);
    const endings: Ending[] = [];
    const callUntilRefused = async (caller: number): Promise<void> => {
      // A lost call closes the client, and all others would be lost in turn.
      for (let count = 0; !isOver(endings.at(-1)); count += 1) {
        endings.push(await call(`${caller}-${count}`));
        if (endings.length === 10 * CALLERS) sidecar.child.kill('SIGTERM');
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, (_, caller) => callUntilRefused(caller)));
    await expect(sidecar.exited).resolves.toBe(0);
    expect(endings.filter((ending) => ending === 'lost')).toEqual([]);
    expect(endings.filter((ending) => ending === 'answered').length).toBeGreaterThan(CALLERS);
  });
});
