import type { RunOptions } from './cli/run-options';
import type { Logger } from './lock/logger';
import type { Sidecar } from './sidecar/sidecar';

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
