import type { SecureContext } from 'node:tls';

import type { Logger } from '../base/logger';
import type { UpstreamEndpoint } from './endpoint';
import { HttpUpstream } from './http-upstream';
import { PassedCalls } from './passed-calls';
import { Reconnection } from './reconnection';
import { SessionPool } from './session-pool';
import { SILENCE_LIMITS, type SilenceLimits } from './silence-watch';
import { UpstreamHealth } from './upstream-health';
import { shutDownUpstream } from './upstream-shutdown';

/** The options of {@link Upstream}. */
export interface UpstreamOptions {
  /** Undefined if gRPC calls are not passed on. */
  readonly grpc: UpstreamEndpoint | undefined;
  /** Undefined if HTTP calls are not passed on. */
  readonly http: UpstreamEndpoint | undefined;
  /** Limit of passed calls at a time. Infinity for none. */
  readonly maxCalls: number;
  /** The token of this sidecar, for calls of its own to the upstream. Undefined for none. */
  readonly apiToken: string | undefined;
  /** How long its end is waited for when it is asked to stop, in milliseconds. */
  readonly goneWithinMs: number;
  /** Creates the context of connections with TLS. */
  readonly secureContext: () => SecureContext;
  readonly logger: Logger;
  /** When it counts as silent. Default: {@link SILENCE_LIMITS}. */
  readonly silence?: SilenceLimits;
}

/** The sidecar behind this one, usually a daprd. It answers every call that this one does not. */
export class Upstream {
  /** Undefined if gRPC calls are not passed on. */
  readonly sessions: SessionPool | undefined;
  /** Undefined if HTTP calls are not passed on. */
  readonly http: HttpUpstream | undefined;
  readonly calls: PassedCalls;
  readonly apiToken: string | undefined;
  readonly health: UpstreamHealth;
  readonly #options: UpstreamOptions;
  readonly #looking: NodeJS.Timeout;
  #shutdown: Promise<void> | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { grpc, http, maxCalls, apiToken, secureContext, logger } = options;
    const { silence = SILENCE_LIMITS } = options;
    this.calls = new PassedCalls(maxCalls);
    this.apiToken = apiToken;
    const toParts = (endpoint: UpstreamEndpoint, label: string) => {
      const reconnection = new Reconnection({ endpoint: endpoint.shown, label, logger });
      return { endpoint, reconnection, secureContext, silence };
    };
    this.sessions = grpc === undefined ? undefined : new SessionPool(toParts(grpc, 'gRPC'));
    this.http = http === undefined ? undefined : new HttpUpstream(toParts(http, 'HTTP'));
    this.health = new UpstreamHealth(this);
    this.#looking = setInterval(() => {
      this.sessions?.look();
      this.http?.look();
    }, silence.lookEveryMs).unref();
  }

  /**
   * Stops the upstream and waits until it has gone, but not for long. Never rejects. A second call
   * waits for the first.
   */
  shutDown(request: {
    readonly force: boolean;
    readonly token: string | undefined;
  }): Promise<void> {
    const { logger, goneWithinMs } = this.#options;
    const isThere = () => this.health.isReachable();
    const options = { ...request, links: this, goneWithinMs, isThere, logger };
    this.#shutdown ??= shutDownUpstream(options);
    return this.#shutdown;
  }

  /** Ends all connections. */
  close(): void {
    clearInterval(this.#looking);
    this.health.close();
    this.sessions?.close();
    this.http?.close();
  }
}
