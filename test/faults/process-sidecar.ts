import { rm } from 'node:fs/promises';

import { writeComponent } from '../support/component-files';
import { SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process';
import { TcpProxy } from '../support/tcp-proxy';
import { GrpcClient } from './grpc-client';
import { HttpClient } from './http-client';
import type { FailedStart, Mishaps, SidecarUnderTest } from './sidecar-under-test';

/** How often a sidecar is started before the run is given up. */
const STARTS = 10;

/** The answer to a client whose sidecar is away. */
const NOT_SENT = {
  answer: 'not-applied',
  reason: 'not sent: the sidecar is being replaced',
} as const;

/**
 * Starts Holdfast itself, in a process of its own, called over both transports.
 *
 * @param main the script to start, where it is another than that of this checkout
 */
export async function startProcess(
  redisPort: number,
  metadata: Readonly<Record<string, string>>,
  main?: string,
): Promise<SidecarUnderTest> {
  const proxy = await TcpProxy.start(redisPort);
  const folder = await writeComponent({
    type: 'lock.redis',
    metadata: { redisHost: `127.0.0.1:${proxy.port}`, ...metadata },
  });
  const options = { args: ['--resources-path', folder], main };
  let sidecar = await SidecarProcess.start(options);
  let clients = connect(sidecar);
  let isUp = true;
  const failedStarts: FailedStart[] = [];
  const mishaps: Mishaps = {
    pause: () => sidecar.child.kill('SIGSTOP'),
    resume: () => sidecar.child.kill('SIGCONT'),
    signals: ['SIGTERM', 'SIGKILL'],
    async restart(signal) {
      isUp = false;
      await sidecar.stop(signal);
      clients.close();
      sidecar = await startAnew({ ...options, ports: sidecar }, failedStarts);
      clients = connect(sidecar);
      isUp = true;
    },
  };
  return {
    by: 'holdfast',
    proxy,
    sendWaitMs: toSendWait(metadata),
    failedStarts,
    get pid() {
      return sidecar.child.pid;
    },
    get isUp() {
      return isUp;
    },
    call: (request) => (isUp ? clients[request.over].call(request) : Promise.resolve(NOT_SENT)),
    hold(request, listener) {
      if (isUp) return clients[request.over].hold(request, listener);
      listener.ended(NOT_SENT);
      return { leave: () => undefined };
    },
    mishaps,
    async stop() {
      clients.close();
      await sidecar.stop();
      await proxy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Starts a sidecar as a supervisor does: again where it ends. Each start that failed is noted, as only a fault or a stall
 * nearby explains it.
 */
async function startAnew(options: SidecarProcessOptions, failedStarts: FailedStart[]) {
  for (let triesLeft = STARTS; ; triesLeft -= 1) {
    const fromMs = performance.now();
    const sidecar = await SidecarProcess.spawn(options);
    try {
      await sidecar.waitForOutput('dapr initialized.');
      return sidecar;
    } catch (error) {
      failedStarts.push({ fromMs, toMs: performance.now(), reason: (error as Error).message });
      await sidecar.stop('SIGKILL');
      if (triesLeft === 1) throw error;
    }
  }
}

/** The time-out of a component, where it has one. */
function toSendWait({ writeTimeout }: Readonly<Record<string, string>>): number | undefined {
  return writeTimeout === undefined ? undefined : Number.parseInt(writeTimeout, 10);
}

function connect({ grpcPort, httpPort }: SidecarProcess) {
  const grpc = new GrpcClient(grpcPort);
  const http = new HttpClient(httpPort);
  const close = (): void => {
    grpc.close();
    http.close();
  };
  return { grpc, http, close };
}
