import type { OtelSettings } from './configuration';
import { parseHeaders } from './otel-headers';

/** The OTEL_EXPORTER_OTLP_* variables, those for traces before the general ones. */
export function toOtelSettings(
  environment: Readonly<Record<string, string | undefined>>,
): OtelSettings | undefined {
  const read = (name: string): string | undefined => {
    const own = environment[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? '';
    const general = environment[`OTEL_EXPORTER_OTLP_${name}`] ?? '';
    const value = own === '' ? general : own;
    return value === '' ? undefined : value;
  };
  const endpoint = read('ENDPOINT');
  if (endpoint === undefined) return undefined;
  const timeout = Number(read('TIMEOUT'));
  return {
    endpointAddress: endpoint,
    protocol: read('PROTOCOL')?.startsWith('http') === true ? 'http' : 'grpc',
    isSecure: read('INSECURE') === 'false',
    headers: parseHeaders(read('HEADERS') ?? ''),
    timeoutMs: Number.isFinite(timeout) && timeout > 0 ? timeout : undefined,
  };
}
