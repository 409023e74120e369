/** Reads the form of OTEL_EXPORTER_OTLP_HEADERS: `a=1,b=2`. */
export function parseHeaders(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(
    pairs
      .filter(([name = '']) => name.trim() !== '')
      .map(([name = '', ...value]) => [name.trim(), value.join('=').trim()]),
  );
}
