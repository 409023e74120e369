import { setTimeout as pause } from 'node:timers/promises';

import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { callOnce } from './call-once';
import { askUpstream } from './own-requests';
import type { UpstreamLinks } from './upstream-health';

/** How long the upstream may take to accept the request, in milliseconds. */
const ACCEPT_WITHIN_MS = 2000;

/** How often to look whether it has gone, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** daprd's method and path, and the header that skips the graceful part. */
const GRPC_PATH = '/dapr.proto.runtime.v1.Dapr/Shutdown';
const HTTP_PATH = '/v1.0/shutdown';
const FORCE = 'dapr-force-shutdown';
const TOKEN = 'dapr-api-token';

/** How the upstream is stopped. */
export interface UpstreamShutdown {
  readonly links: UpstreamLinks;
  readonly force: boolean;
  /** The token of the caller. Undefined if it sent none. */
  readonly token: string | undefined;
  /** How long to wait for the end of the upstream, in milliseconds. */
  readonly goneWithinMs: number;
  /** True if the upstream answers. */
  readonly isThere: () => Promise<boolean>;
  readonly logger: Logger;
}

/**
 * Asks the upstream to stop and waits until it has gone, so that this sidecar stops after it: while
 * a daprd stops, it ends its subscriptions and the app finishes its work, for which it may still
 * hold locks. Never rejects: an upstream that can't be stopped is no reason to go on.
 */
export async function shutDownUpstream(options: UpstreamShutdown): Promise<void> {
  const { force, goneWithinMs, isThere, logger } = options;
  try {
    await ask(options);
  } catch (error) {
    logger.warn(`The upstream could not be asked to stop: ${toErrorMessage(error)}`);
    return;
  }
  if (force) return;
  logger.info('The upstream was asked to stop; Holdfast stops after it');
  const end = performance.now() + goneWithinMs;
  while (performance.now() < end) {
    if (!(await isThere())) return;
    await pause(LOOK_EVERY_MS);
  }
  logger.warn(`The upstream has not stopped within ${goneWithinMs} ms; Holdfast stops before it`);
}

async function ask({ links, force, token }: UpstreamShutdown): Promise<void> {
  const { http, sessions } = links;
  const headers = {
    ...(force ? { [FORCE]: 'true' } : {}),
    ...(token === undefined ? {} : { [TOKEN]: token }),
  };
  const afterMs = ACCEPT_WITHIN_MS;
  if (http !== undefined) {
    const fields = Object.entries(headers).flat();
    const status = await askUpstream(http, { method: 'POST', target: HTTP_PATH, fields, afterMs });
    if (status >= 300) throw new Error(`it answered with status ${status}`);
  } else if (sessions !== undefined) {
    const message = Buffer.alloc(0);
    const { status } = await callOnce(sessions, { path: GRPC_PATH, message, headers, afterMs });
    if (status !== 0) throw new Error(`it answered with gRPC status ${status ?? 'none'}`);
  }
}
