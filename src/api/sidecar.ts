import type { TokenCheck } from '../sidecar/api-token';
import type { Health } from '../sidecar/health';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { ApiAccess } from './api-groups';
import type { ApiObserver } from './api-observer';

/** The parts of the sidecar, besides locks, that both transports serve or use for access checks. */
export interface Sidecar {
  readonly appId: string;
  readonly health: Health;
  readonly metadata: SidecarMetadata;
  /** Undefined if no API token is required. */
  readonly checkToken: TokenCheck | undefined;
  /** Called for every API call, because the configuration may change. */
  readonly isAllowed: ApiAccess;
  readonly observer: ApiObserver;
  /** The sidecar that answers the calls that this one does not serve. Undefined if there is none. */
  readonly behind?: SidecarBehind | undefined;
  /**
   * Asks the process to stop. Returns at once so that the call can be answered. With `force`, the
   * process exits at once with code 1, without waiting for calls in flight.
   */
  requestShutdown(options: { readonly force: boolean }): void;
}

/** Calls to the sidecar behind this one. None of them rejects. */
export interface SidecarBehind {
  /** Its `/v1.0/healthz`. */
  isReady(): Promise<boolean>;
  /** Its `/v1.0/healthz/outbound`. */
  isOutboundReady(): Promise<boolean>;
  /**
   * Stops it, and waits until it has gone, but not for long.
   *
   * @param request `token` is that of the caller
   */
  shutDown(request: { readonly force: boolean; readonly token: string | undefined }): Promise<void>;
}

/** The header (HTTP) or metadata key (gRPC) that forces a shutdown. */
export const FORCE_SHUTDOWN_HEADER = 'dapr-force-shutdown';
