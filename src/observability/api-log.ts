import type { ApiCall, ApiResult } from '../api/api-observer';
import type { Logger } from '../base/logger';
import type { ApiLoggingSettings } from '../configuration/configuration';

/** What a call to no route is called where paths are not to be shown. */
const NOT_ROUTED = 'InvokeService';

/**
 * Logs calls of the API in daprd's lines (dapr/dapr pkg/api). They appear at info whatever
 * --log-level says, as in daprd: who asked for them means to have them.
 */
export class ApiLog {
  readonly #http: Logger;
  readonly #grpc: Logger;

  constructor(logger: Logger) {
    this.#http = logger.scoped('dapr.runtime.http-info', { level: 'info' });
    this.#grpc = logger.scoped('dapr.runtime.grpc.api-info', { level: 'info' });
  }

  /** Writes the line of a call that has ended, where the settings ask for one. */
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
