/** A valid name in gRPC and HTTP. gRPC would send `-bin` as bytes. */
const NAME = /^[\w.-]+(?<!-bin)$/i;

/** A valid value in both. */
const VALUE = /^[\x20-\x7e]*$/;

/** Headers of requests to a receiver. Most are credentials, so no message contains a value. */
export type OtelHeaders = Readonly<Record<string, string>>;

/**
 * Reads the format of OTEL_EXPORTER_OTLP_HEADERS, `a=1,b=2`, with percent-encoded values
 * (opentelemetry-specification, protocol/exporter). As in daprd, a pair without `=` is an error.
 *
 * @throws {Error} for an invalid header
 */
export function parseHeaders(text: string): OtelHeaders {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return toHeaders(pairs.map(parsePair));
}

/**
 * Creates headers from names and values, unchanged.
 *
 * @throws {Error} for an invalid header
 */
export function toHeaders(entries: readonly (readonly [name: string, value: string])[]) {
  for (const [index, [name, value]] of entries.entries()) {
    if (!NAME.test(name)) throw new Error(`header ${index + 1} has an invalid name`);
    if (!VALUE.test(value)) {
      throw new Error(
        `header ${name} has an invalid value (allowed: printable ASCII, without a line break at the end)`,
      );
    }
  }
  return Object.fromEntries(entries);
}

/**
 * Reads an entry of a list, `a=1`. As in daprd, the value is not decoded.
 *
 * @throws {Error} if there is no `=`
 */
export function toPair(pair: string, index: number): readonly [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 0) throw new Error(`header ${index + 1} is not of the form name=value`);
  return [pair.slice(0, at).trim(), pair.slice(at + 1)];
}

/** A header as in a Kubernetes manifest of Dapr. */
export interface NamedHeader {
  readonly name: string;
  readonly value?: string | undefined;
  readonly secretKeyRef?: unknown;
  readonly envRef?: unknown;
}

/**
 * Reads a header of a Kubernetes manifest. One without its value would make the receiver refuse
 * every span. In a Configuration of the cluster, values have replaced the references to secrets
 * (kubernetes/header-secrets.ts). daprd refuses a file with either reference.
 *
 * @throws {Error} if its value is that of a secret or a variable
 */
export function toNamedHeader({
  name,
  value,
  secretKeyRef,
  envRef,
}: NamedHeader): readonly [name: string, value: string] {
  if (value === undefined && (isGiven(secretKeyRef) || isGiven(envRef))) {
    throw new Error(
      `the value of header ${name} is elsewhere: secretKeyRef is read only in a Configuration of the cluster (--mode kubernetes, --config NAME), and envRef nowhere; set the variable OTEL_EXPORTER_OTLP_HEADERS of the container instead`,
    );
  }
  return [name, value ?? ''];
}

/** True for a reference. Go writes one without a name where there is none. */
function isGiven(reference: unknown): boolean {
  const { name = reference ?? '' } = (reference ?? {}) as { readonly name?: unknown };
  return name !== '';
}

function parsePair(pair: string, index: number): readonly [name: string, value: string] {
  const [name = '', ...rest] = pair.split('=');
  if (rest.length === 0) throw new Error(`header ${index + 1} is not of the form name=value`);
  try {
    return [name.trim(), decodeURIComponent(rest.join('=')).trim()];
  } catch (cause) {
    throw new Error(`the value of header ${index + 1} is not percent-encoded: write % as %25`, {
      cause,
    });
  }
}
