import type { OtelSettings, TracingSettings } from './configuration';
import { type OtelAddress, toOtelUrl } from './otel-endpoint';
import { findOtelVariable, type OtelVariable, readOtelVariable } from './otel-environment';
import { type OtelHeaders, parseHeaders } from './otel-headers';

/**
 * What files say of an OTLP receiver (`spec.tracing.otel`), each member for itself: the address may
 * stand in one place and how to speak to it in another, so no URL can be made before all are read.
 */
export interface OtelMembers {
  readonly address?: string | undefined;
  readonly protocol?: OtelSettings['protocol'] | undefined;
  readonly isSecure?: boolean | undefined;
  readonly headers?: OtelHeaders | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Where the parts of a receiver's settings stand. */
export interface OtelSources {
  readonly written: OtelMembers;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Lays members over others: what is named counts, what is left out stays. */
export function overlayOtel(below: OtelMembers, over: OtelMembers): OtelMembers {
  return {
    address: over.address ?? below.address,
    protocol: over.protocol ?? below.protocol,
    isSecure: over.isSecure ?? below.isSecure,
    headers: over.headers ?? below.headers,
    timeoutMs: over.timeoutMs ?? below.timeoutMs,
  };
}

/** True where members describe a receiver of which nobody says where it is. */
export function isWithoutEndpoint({ written, environment }: OtelSources): boolean {
  if (Object.values(written).every((member) => member === undefined)) return false;
  return written.address === undefined && findOtelVariable(environment, 'ENDPOINT') === undefined;
}

/**
 * Completes the settings of traces by their receiver: what files leave out the OTEL_EXPORTER_OTLP_*
 * variables give. Those for protocol and TLS describe the endpoint beside them and count with it
 * alone, as in daprd, where another address is not spoken to by them. As in daprd, too, who names a
 * receiver by them, and no sampling rate, wants every trace.
 *
 * @throws {Error} that names the variable which can't be read
 */
export function withOtelReceiver(tracing: TracingSettings, sources: OtelSources): TracingSettings {
  const { written, environment } = sources;
  if (written.address !== undefined) {
    return { ...tracing, otel: toSettings(written, sources, urlOfAddress(written.address)) };
  }
  const endpoint = findOtelVariable(environment, 'ENDPOINT');
  if (endpoint === undefined) return tracing;
  const members = overlayOtel(mannerOf(environment), written);
  const otel = toSettings(members, sources, urlOfVariable(endpoint));
  return { ...tracing, otel, samplingRate: tracing.samplingRate ?? '1' };
}

type ToUrl = (manner: Omit<OtelAddress, 'isBase'>) => string;

function urlOfAddress(address: string): ToUrl {
  return (manner) => toOtelUrl(address, { ...manner, isBase: false });
}

function urlOfVariable(endpoint: OtelVariable): ToUrl {
  const { isGeneral: isBase } = endpoint;
  return (manner) =>
    readOtelVariable(endpoint, (address) => toOtelUrl(address, { ...manner, isBase }));
}

/** How the endpoint of the environment is spoken to. */
function mannerOf(environment: OtelSources['environment']): OtelMembers {
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

/** As in daprd what is no time counts as not set. */
function timeoutOf(environment: OtelSources['environment']): number | undefined {
  const timeout = Number(findOtelVariable(environment, 'TIMEOUT')?.value);
  return Number.isFinite(timeout) && timeout > 0 ? timeout : undefined;
}
