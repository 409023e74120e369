/**
 * The fields that belong to one connection and are never passed on (RFC 9110, 7.6.1), in addition
 * to those that `Connection` names. Node writes its own where it needs them.
 */
const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
];

/** Names and values in turn, as Node's rawHeaders. */
export type Fields = readonly string[];

/** The header fields of a message that are passed on, and how its body is delimited. */
export interface PassedFields {
  /** As they were received. */
  readonly raw: Fields;
  /** True for a body in chunks. Only such a body can have trailers. */
  readonly isChunked: boolean;
  /** True if the body has a length. */
  readonly hasLength: boolean;
}

/** Selects the fields of a received message that are passed on. Their order and case stay. */
export function toPassedFields(rawHeaders: Fields): PassedFields {
  const dropped = new Set([...HOP_BY_HOP, ...namedByConnection(rawHeaders)]);
  // The body must be read as it is delimited, whatever `Connection` says.
  for (const name of ['content-length', 'host']) dropped.delete(name);
  const isChunked = valuesOf(rawHeaders, 'transfer-encoding').length > 0;
  // A receiver ignores the length of a chunked body (RFC 9112, 6.3), and never passes both on.
  if (isChunked) dropped.add('content-length');
  // Node refuses to announce trailers that it can't send.
  else dropped.add('trailer');
  const raw = without(rawHeaders, (name) => dropped.has(name));
  const hasLength = !isChunked && valuesOf(rawHeaders, 'content-length').length > 0;
  return { raw, isChunked, hasLength };
}

/**
 * Selects the trailers that are passed on, as pairs. Those that could delimit a body are left out
 * (RFC 9110, 6.5.1).
 */
export function toPassedTrailers(rawTrailers: Fields): [string, string][] {
  const raw = without(toPassedFields(rawTrailers).raw, (name) => name === 'content-length');
  const pairs: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return pairs;
}

/** All values of a field. */
export function valuesOf(rawHeaders: Fields, wanted: string): readonly string[] {
  const values: string[] = [];
  forEachField(rawHeaders, (name, value) => {
    if (name.toLowerCase() === wanted) values.push(value);
  });
  return values;
}

/**
 * A transfer encoding that Node does not undo. Undefined if there is none. The field belongs to the
 * connection, so the body would be passed on without a word of how to read it.
 */
export function unknownCodingOf(rawHeaders: Fields): string | undefined {
  return valuesOf(rawHeaders, 'transfer-encoding')
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim())
    .find((coding) => !['', 'chunked', 'identity'].includes(coding.toLowerCase()));
}

/** The fields with one value for a name, in place of any others. */
export function withField(rawHeaders: Fields, wanted: string, given: string): Fields {
  return [...without(rawHeaders, (name) => name === wanted), wanted, given];
}

/** The fields without some of them. @param isDropped is called with the name in lower case */
export function without(rawHeaders: Fields, isDropped: (name: string) => boolean): Fields {
  const raw: string[] = [];
  forEachField(rawHeaders, (name, value) => {
    if (!isDropped(name.toLowerCase())) raw.push(name, value);
  });
  return raw;
}

function namedByConnection(rawHeaders: Fields): readonly string[] {
  return valuesOf(rawHeaders, 'connection')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase());
}

function forEachField(rawHeaders: Fields, visit: (name: string, value: string) => void): void {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    visit(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  }
}
