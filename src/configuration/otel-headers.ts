/** What an HTTP header may be called (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/**
 * Reads the form of OTEL_EXPORTER_OTLP_HEADERS, `a=1,b=2`: values are percent-encoded
 * (opentelemetry-specification, protocol/exporter). As in daprd a pair that is none is an error.
 *
 * @throws {Error} that quotes no value: most of them are credentials
 */
export function parseHeaders(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(pairs.map(parseHeader));
}

function parseHeader(pair: string, index: number): readonly [name: string, value: string] {
  const [rawName = '', ...rest] = pair.split('=');
  const name = rawName.trim();
  if (rest.length === 0 || !TOKEN.test(name)) {
    throw new Error(`header ${index + 1} is not of the form name=value`);
  }
  try {
    return [name, decodeURIComponent(rest.join('=')).trim()];
  } catch (cause) {
    throw new Error(`the value of header ${name} is not percent-encoded: write % as %25`, {
      cause,
    });
  }
}
