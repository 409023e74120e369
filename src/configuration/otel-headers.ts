/** What gRPC takes for a key, and HTTP for a name; gRPC sends `-bin` as bytes. */
const NAME = /^[\w.-]+(?<!-bin)$/i;

/** What both of them take for a value. */
const VALUE = /^[\x20-\x7e]*$/;

/** Headers of requests to a receiver. Most of them are credentials: no message quotes a value. */
export type OtelHeaders = Readonly<Record<string, string>>;

/**
 * Reads the form of OTEL_EXPORTER_OTLP_HEADERS, `a=1,b=2`: values are percent-encoded
 * (opentelemetry-specification, protocol/exporter). As in daprd a pair that is none is an error.
 *
 * @throws {Error} at a header that can't be sent
 */
export function parseHeaders(text: string): OtelHeaders {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return toHeaders(pairs.map(parsePair));
}

/**
 * Makes headers of names and values as they are.
 *
 * @throws {Error} at one that can't be sent
 */
export function toHeaders(entries: readonly (readonly [name: string, value: string])[]) {
  for (const [index, [name, value]] of entries.entries()) {
    if (!NAME.test(name)) throw new Error(`the name of header ${index + 1} can't be sent`);
    if (!VALUE.test(value)) throw new Error(`the value of header ${name} can't be sent`);
  }
  return Object.fromEntries(entries);
}

/**
 * Reads an entry of a list, `a=1`: as in daprd the value is what follows, as it is.
 *
 * @throws {Error} at one that is no pair
 */
export function toPair(pair: string, index: number): readonly [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 0) throw new Error(`header ${index + 1} is not of the form name=value`);
  return [pair.slice(0, at).trim(), pair.slice(at + 1)];
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
