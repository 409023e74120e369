import type { Sidecar } from '../api/sidecar';
import type { Logger } from '../base/logger';
import type { RunOptions } from '../command-line/run-options';
import type { Configuration } from '../configuration/configuration';

/** All options of the app: flags and environment, parsed and checked. */
export type AppOptions = Omit<
  RunOptions,
  'logLevel' | 'logAsJson' | 'logFile' | 'internalGrpcPort' | 'warnings'
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

/** The configuration with what flags say of it. */
export function withOverrides(
  configuration: Configuration,
  { apiLogging }: Pick<AppOptions, 'apiLogging'>,
): Configuration {
  return {
    ...configuration,
    apiLogging:
      apiLogging === undefined
        ? configuration.apiLogging
        : { ...configuration.apiLogging, enabled: apiLogging },
  };
}
