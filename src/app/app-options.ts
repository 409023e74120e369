import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import type { RunOptions } from '../command-line/run-options';

/** All options of the app: flags and environment, parsed and checked. */
export type AppOptions = Omit<
  RunOptions,
  'logLevel' | 'logAsJson' | 'logFile' | 'gracefulShutdownMs' | 'internalGrpcPort' | 'warnings'
>;

/** The parts of the process that the app needs. */
export interface AppContext {
  readonly logger: Logger;
  /**
   * Environment variables, for references in component files and the configuration, and OTEL_*
   * variables.
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** See {@link Sidecar.requestShutdown}. */
  readonly requestShutdown: Sidecar['requestShutdown'];
}
