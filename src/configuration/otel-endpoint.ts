/** The settings that complete the address of an OTLP receiver. */
export interface OtelAddress {
  readonly protocol: 'grpc' | 'http';
  /** Whether to use TLS if the address has no scheme. */
  readonly isSecure: boolean;
  /** True if the path is the base for all signals, and the path for traces must be appended. */
  readonly isBase: boolean;
}

/** The path for traces in OTLP over HTTP (opentelemetry-specification, protocol/exporter). */
const TRACES_PATH = '/v1/traces';

/**
 * Creates the URL for spans from `host:port`, which is daprd's form, or from a URL. Over HTTP, an
 * address without a path gets the path for traces. OpenTelemetry would post to `/` then, but daprd
 * always adds the path, and no receiver accepts traces at `/`.
 *
 * @throws {Error} if the address is neither
 */
export function toOtelUrl(address: string, { protocol, isSecure, isBase }: OtelAddress): string {
  const hasScheme = address.includes('://');
  const url = toHttpUrl(hasScheme ? address : `${isSecure ? 'https' : 'http'}://${address}`);
  if (url === undefined) {
    throw new Error(`must be host:port or a URL of http or https, not "${address}"`);
  }
  if (protocol === 'grpc') return url.origin;
  const ownPath = url.pathname.replace(/\/$/, '');
  if (isBase || ownPath === '') url.pathname = `${ownPath}${TRACES_PATH}`;
  return url.href;
}

/** Reads an http or https URL. Undefined for anything else. */
export function toHttpUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text);
}
