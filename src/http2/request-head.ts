import type { FieldList } from './hpack-decoder';

/** The pseudo-header fields of a request, and all fields (RFC 9113, 8.3.1). */
export interface RequestHead {
  readonly method: string;
  /** Empty for CONNECT. */
  readonly scheme: string;
  /** Empty for CONNECT. */
  readonly path: string;
  readonly list: FieldList;
  /** Undefined if the request does not say how long its content is. */
  readonly contentLength: number | undefined;
}

/** The names of fields: tokens without capital letters (RFC 9113, 8.2.1; RFC 9110, 5.1). */
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Values have no NUL, CR or LF, and no white space at their ends (RFC 9113, 8.2.1). */
const BAD_FIELD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Fields of a connection, which HTTP/2 does not have (RFC 9113, 8.2.2). */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** The pseudo-header fields of requests. Those of other protocols over CONNECT are not offered. */
const PSEUDO_FIELDS = new Set([':authority', ':method', ':path', ':scheme']);

const CONTENT_LENGTH = /^\d{1,15}$/;

/**
 * Checks the requests of a connection. It keeps the last result: equal requests of a client have one
 * list of fields (hpack-decoder.ts), which is then not checked again.
 */
export class RequestHeads {
  #list: FieldList | undefined;
  #head: RequestHead | undefined;

  /** The head of a request. Undefined if it is malformed. */
  of(list: FieldList): RequestHead | undefined {
    if (this.#list !== list) {
      this.#list = list;
      this.#head = toRequestHead(list);
    }
    return this.#head;
  }
}

/** Checks the header fields of a request. Undefined if it is malformed (RFC 9113, 8.1.1). */
export function toRequestHead(list: FieldList): RequestHead | undefined {
  const { fields } = list;
  const pseudo = new Map<string, string>();
  const lengths = new Set<string>();
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    if (name.startsWith(':')) {
      // Each once, and before all other fields (RFC 9113, 8.3).
      if (at !== 2 * pseudo.size || pseudo.has(name) || !isPseudoField(name, value)) {
        return undefined;
      }
      pseudo.set(name, value);
    } else if (!isField(name, value)) return undefined;
    else if (name === 'content-length') lengths.add(value);
  }
  return assemble(list, pseudo, lengths);
}

/** Checks the fields of a trailer section: no pseudo-header fields (RFC 9113, 8.1). */
export function areTrailers({ fields }: FieldList): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    if (!isField(name, value)) return false;
  }
  return true;
}

function isPseudoField(name: string, value: string): boolean {
  return PSEUDO_FIELDS.has(name) && !BAD_FIELD_VALUE.test(value);
}

function isField(name: string, value: string): boolean {
  if (!FIELD_NAME.test(name) || BAD_FIELD_VALUE.test(value)) return false;
  return !CONNECTION_FIELDS.has(name) && (name !== 'te' || value === 'trailers');
}

function assemble(
  list: FieldList,
  pseudo: ReadonlyMap<string, string>,
  lengths: ReadonlySet<string>,
): RequestHead | undefined {
  const [method, scheme, path] = [':method', ':scheme', ':path'].map((name) => pseudo.get(name));
  // Of several equal lengths one counts (RFC 9110, 8.6).
  const [length] = lengths;
  if (method === undefined || lengths.size > 1) return undefined;
  if (length !== undefined && !CONTENT_LENGTH.test(length)) return undefined;
  const contentLength = length === undefined ? undefined : Number(length);
  if (method === 'CONNECT') {
    return isConnect(pseudo) ? { method, scheme: '', path: '', list, contentLength } : undefined;
  }
  if (scheme === undefined || path === undefined || !isPath(path, method)) return undefined;
  return { method, scheme, path, list, contentLength };
}

/** RFC 9113, 8.5. */
function isConnect(pseudo: ReadonlyMap<string, string>): boolean {
  return pseudo.has(':authority') && !pseudo.has(':scheme') && !pseudo.has(':path');
}

/** RFC 9113, 8.3.1. */
function isPath(path: string, method: string): boolean {
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS');
}
