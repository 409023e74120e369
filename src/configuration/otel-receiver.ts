import type { OtelSettings, TracingSettings } from './configuration';
import { type OtelAddress, toOtelUrl } from './otel-endpoint';
import { findOtelVariable, type OtelVariable, readOtelVariable } from './otel-environment';
import { type OtelHeaders, parseHeaders } from './otel-headers';

/**
 * The settings of an OTLP receiver in files (`spec.tracing.otel`), separately. The address and the
 * protocol may come from different files, so the URL is created only after all files are read.
 */
export interface OtelMembers {
  readonly address?: string | undefined;
  readonly protocol?: OtelSettings['protocol'] | undefined;
  readonly isSecure?: boolean | undefined;
  readonly headers?: OtelHeaders | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The two sources of a receiver's settings. */
export interface OtelSources {
  readonly written: OtelMembers;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Overrides settings with those that are present in `over`. */
export function overlayOtel(below: OtelMembers, over: OtelMembers): OtelMembers {
  return {
    address: over.address ?? below.address,
    protocol: over.protocol ?? below.protocol,
    isSecure: over.isSecure ?? below.isSecure,
    headers: over.headers ?? below.headers,
    timeoutMs: over.timeoutMs ?? below.timeoutMs,
  };
}

/** True if there are settings for a receiver, but no address for it. */
export function isWithoutEndpoint({ written, environment }: OtelSources): boolean {
  if (Object.values(written).every((member) => member === undefined)) return false;
  return written.address === undefined && findOtelVariable(environment, 'ENDPOINT') === undefined;
}

/**
 * Adds the receiver to the trace settings. The OTEL_EXPORTER_OTLP_* variables supply what the files
 * do not contain. As in daprd, the variables for protocol and TLS apply only to an endpoint that
 * also comes from a variable. If the endpoint comes from a variable and no sampling rate is set,
 * every trace is recorded.
 *
 * @throws {Error} with the name of the variable that is invalid
 */
export function withOtelReceiver(tracing: TracingSettings, sources: OtelSources): TracingSettings {
  const { written, environment } = sources;
  if (written.address !== undefined) {
    return { ...tracing, otel: toSettings(written, sources, urlOfAddress(written.address)) };
  }
  const endpoint = findOtelVariable(environment, 'ENDPOINT');
  if (endpoint === undefined) return tracing;
  const members = overlayOtel(endpointSettingsOf(environment), written);
  const otel = toSettings(members, sources, urlOfVariable(endpoint));
  return { ...tracing, otel, samplingRate: tracing.samplingRate ?? '1' };
}

type ToUrl = (access: Omit<OtelAddress, 'isBase'>) => string;

function urlOfAddress(address: string): ToUrl {
  return (access) => toOtelUrl(address, { ...access, isBase: false });
}

function urlOfVariable(endpoint: OtelVariable): ToUrl {
  const { isGeneral: isBase } = endpoint;
  return (access) =>
    readOtelVariable(endpoint, (address) => toOtelUrl(address, { ...access, isBase }));
}

/** Protocol and TLS of an endpoint that comes from a variable. */
function endpointSettingsOf(environment: OtelSources['environment']): OtelMembers {
  const isHttp = findOtelVariable(environment, 'PROTOCOL')?.value.startsWith('http') === true;
  const isSecure = findOtelVariable(environment, 'INSECURE')?.value !== 'true';
  return { protocol: isHttp ? 'http' : 'grpc', isSecure };
}

function toSettings(
  { protocol = 'grpc', isSecure = true, headers, timeoutMs }: OtelMembers,
  { environment }: OtelSources,
  toUrl: ToUrl,
): OtelSettings {
  return {
    url: toUrl({ protocol, isSecure }),
    protocol,
    headers: headers ?? headersOf(environment),
    timeoutMs: timeoutMs ?? timeoutOf(environment),
  };
}

function headersOf(environment: OtelSources['environment']): OtelHeaders {
  const variable = findOtelVariable(environment, 'HEADERS');
  return variable === undefined ? {} : readOtelVariable(variable, parseHeaders);
}

/** As in daprd, an invalid time counts as not set. */
function timeoutOf(environment: OtelSources['environment']): number | undefined {
  const timeout = Number(findOtelVariable(environment, 'TIMEOUT')?.value);
  return Number.isFinite(timeout) && timeout > 0 ? timeout : undefined;
}
