import type { Sidecar } from '../../src/api/sidecar';
import { createTokenCheck } from '../../src/sidecar/api-token';
import { Health } from '../../src/sidecar/health';
import { SidecarMetadata } from '../../src/sidecar/metadata';

/** The parts of a sidecar that tests vary. */
export interface FakeSidecarOptions {
  readonly token?: string;
  readonly isAllowed?: Sidecar['isAllowed'];
  readonly observer?: Sidecar['observer'];
}

/** A sidecar `myapp` of the real parts, which notes the shutdowns that are asked of it. */
export function createFakeSidecar(options: FakeSidecarOptions = {}): Sidecar & {
  readonly shutdowns: { readonly force: boolean }[];
} {
  const shutdowns: { readonly force: boolean }[] = [];
  return {
    appId: 'myapp',
    health: new Health(['runtime']),
    metadata: new SidecarMetadata({
      appId: 'myapp',
      daprVersion: '1.18.3',
      holdfastVersion: '0.1.0',
      appConnection: { port: 0, protocol: 'http', channelAddress: '127.0.0.1', maxConcurrency: -1 },
    }),
    checkToken: createTokenCheck(options.token),
    isAllowed: options.isAllowed ?? (() => true),
    observer: options.observer ?? { begin: () => undefined },
    requestShutdown: (request) => {
      shutdowns.push(request);
    },
    shutdowns,
  };
}
