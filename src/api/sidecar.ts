import type { TokenCheck } from '../sidecar/api-token';
import type { Health } from '../sidecar/health';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { ApiAccess } from './api-groups';
import type { ApiObserver } from './api-observer';

/** What both transports serve beside locks, and what guards them. */
export interface Sidecar {
  readonly appId: string;
  readonly health: Health;
  readonly metadata: SidecarMetadata;
  /** Undefined where no API token is required. */
  readonly checkToken: TokenCheck | undefined;
  /** Asked at every call: the configuration may change. */
  readonly isAllowed: ApiAccess;
  readonly observer: ApiObserver;
  /**
   * Asks the process to end, and returns at once so that the call can be answered.
   * Forced means: at once and with exit code 1, without waiting for calls in flight.
   */
  requestShutdown(options: { readonly force: boolean }): void;
}

/** The header (HTTP) and metadata key (gRPC) that makes a shutdown request a forced one. */
export const FORCE_SHUTDOWN_HEADER = 'dapr-force-shutdown';
