/** What an OTLP receiver's address comes with. */
export interface OtelAddress {
  readonly protocol: 'grpc' | 'http';
  /** Whether TLS is spoken where the address has no scheme that says so. */
  readonly isSecure: boolean;
  /** True where the path is that of all signals, and traces have theirs below it. */
  readonly isBase: boolean;
}

/** Where OTLP over HTTP takes traces (opentelemetry-specification, protocol/exporter). */
const TRACES_PATH = '/v1/traces';

/**
 * Makes the URL that spans are sent to of `host:port`, which is daprd's form, or of a URL. Over HTTP
 * it gets the path of traces where it has none of its own, also where OpenTelemetry would post to
 * `/`: daprd always adds it, and no receiver takes traces there.
 *
 * @throws {Error} where it is neither
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

/** Reads a URL of http or https; undefined where it is none. */
export function toHttpUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text);
}
