import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import type { RunOptions } from '../command-line/run-options';

/** What a sidecar is started with: the flags and the environment, parsed and checked. */
export type AppOptions = Omit<
  RunOptions,
  'logLevel' | 'logAsJson' | 'logFile' | 'gracefulShutdownMs' | 'internalGrpcPort' | 'warnings'
>;

/** What the app needs of the process around it. */
export interface AppContext {
  readonly logger: Logger;
  /** What component files and the configuration may refer to, and OTEL_* variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** See {@link Sidecar.requestShutdown}. */
  readonly requestShutdown: Sidecar['requestShutdown'];
}
