import type { ApiCall, ApiResult } from '../api/api-observer';
import type { Logger } from '../base/logger';
import type { ApiLoggingSettings } from '../configuration/configuration';

/** The operation of a call without a route, if paths are hidden. */
const NOT_ROUTED = 'InvokeService';

/**
 * Logs API calls in daprd's format (dapr/dapr pkg/api). As in daprd, these lines are written
 * whatever --log-level says, because somebody asked for them.
 */
export class ApiLog {
  readonly #http: Logger;
  readonly #grpc: Logger;

  constructor(logger: Logger) {
    this.#http = logger.scoped('dapr.runtime.http-info', { level: 'info' });
    this.#grpc = logger.scoped('dapr.runtime.grpc.api-info', { level: 'info' });
  }

  /** Logs a finished call, if the settings ask for it. */
  write(
    settings: ApiLoggingSettings,
    call: ApiCall,
    result: ApiResult & { readonly durationMs: number },
  ): void {
    const { enabled, obfuscateUrls, omitHealthChecks } = settings;
    if (!enabled || !result.isLogged) return;
    if (omitHealthChecks && call.method?.access === 'probe') return;
    const useragent = call.header('user-agent');
    const fields = {
      code: result.status,
      duration: Math.floor(result.durationMs),
      ...(useragent === undefined ? {} : { useragent }),
    };
    if (call.protocol === 'grpc') {
      this.#grpc.info('gRPC API Called', { method: call.path, ...fields });
      return;
    }
    const method = obfuscateUrls
      ? (call.method?.operation ?? NOT_ROUTED)
      : `${call.verb} ${call.path}`;
    this.#http.info('HTTP API Called', { method, size: result.responseBytes, ...fields });
  }
}
