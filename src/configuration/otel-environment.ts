import { toErrorMessage } from '../lock/error-message';
import type { OtelSettings, TracingSettings } from './configuration';
import { toOtelUrl } from './otel-endpoint';
import { parseHeaders } from './otel-headers';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Lays the OTEL_EXPORTER_OTLP_* variables under what the configuration says of traces. As in daprd
 * who names a receiver by them, and no sampling rate, wants every trace.
 *
 * @throws {Error} that names the variable which can't be read
 */
export function withOtelEnvironment(
  tracing: TracingSettings,
  environment: Environment,
): TracingSettings {
  if (tracing.otel !== undefined) return tracing;
  const otel = toOtelSettings(environment);
  if (otel === undefined) return tracing;
  return { ...tracing, otel, samplingRate: tracing.samplingRate ?? '1' };
}

/** A variable that is set. */
interface Variable {
  readonly name: string;
  readonly value: string;
  /** True for the general one, false for the one of traces. */
  readonly isGeneral: boolean;
}

function toOtelSettings(environment: Environment): OtelSettings | undefined {
  const endpoint = find(environment, 'ENDPOINT');
  if (endpoint === undefined) return undefined;
  const headers = find(environment, 'HEADERS');
  const timeout = Number(find(environment, 'TIMEOUT')?.value);
  const protocol =
    find(environment, 'PROTOCOL')?.value.startsWith('http') === true ? 'http' : 'grpc';
  const isSecure = find(environment, 'INSECURE')?.value !== 'true';
  const { isGeneral: isBase } = endpoint;
  return {
    url: read(endpoint, (address) => toOtelUrl(address, { protocol, isSecure, isBase })),
    protocol,
    headers: headers === undefined ? {} : read(headers, parseHeaders),
    timeoutMs: Number.isFinite(timeout) && timeout > 0 ? timeout : undefined,
  };
}

/** The variable for traces, else the general one; an empty one counts as not set. */
function find(environment: Environment, suffix: string): Variable | undefined {
  for (const isGeneral of [false, true]) {
    const name = `OTEL_EXPORTER_OTLP_${isGeneral ? '' : 'TRACES_'}${suffix}`;
    const value = environment[name] ?? '';
    if (value !== '') return { name, value, isGeneral };
  }
  return undefined;
}

function read<T>({ name, value }: Variable, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    throw new Error(`${name}: ${toErrorMessage(cause)}`, { cause });
  }
}
