import type { IncomingHttpHeaders } from 'node:http2';

import type { FieldList } from '../../http2/hpack-decoder';
import type { CallMetadata } from '../server-call';

/** Fields of the transport, which are no metadata of a call (as in grpc-js). */
const NO_METADATA = new Set([
  'accept-encoding',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-timeout',
  'te',
]);

/** The header fields of a call. Calls with equal header blocks share one. */
export class CallHeaders implements CallMetadata {
  /** In the form of node:http2: values of a repeated name are joined by a comma. */
  readonly record: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly raw: readonly string[];
  /** The sum of their lengths. */
  readonly bytes: number;

  constructor({ fields }: FieldList) {
    // Without a prototype: `constructor` and `__proto__` are names like others.
    const record = Object.create(null) as Record<string, string>;
    let bytes = 0;
    for (let at = 0; at < fields.length; at += 2) {
      const [name = '', value = ''] = [fields[at], fields[at + 1]];
      const known = record[name];
      record[name] = known === undefined ? value : `${known}, ${value}`;
      bytes += name.length + value.length;
    }
    this.record = record;
    this.raw = fields;
    this.bytes = bytes;
  }

  /** The text of a field, of the transport or of the call. */
  text(name: string): string | undefined {
    return this.record[name] as string | undefined;
  }

  first(name: string): string | undefined {
    return isBinary(name) ? undefined : this.text(name);
  }

  /** Values are in base64, with or without padding, and may be joined by commas. */
  binary(name: string): Buffer | undefined {
    const text = this.text(name);
    if (text === undefined || !isBinary(name)) return undefined;
    return Buffer.from(text.split(',', 1)[0] ?? '', 'base64');
  }

  names(): readonly string[] {
    return Object.keys(this.record).filter(
      (name) => !name.startsWith(':') && !NO_METADATA.has(name),
    );
  }
}

/** Keeps the headers of the last call of a connection, for the next one with an equal block. */
export class LastHeaders {
  #list: FieldList | undefined;
  #headers: CallHeaders | undefined;

  /** The headers of a call. */
  of(list: FieldList): CallHeaders {
    if (this.#headers === undefined || this.#list !== list) {
      this.#list = list;
      this.#headers = new CallHeaders(list);
    }
    return this.#headers;
  }
}

function isBinary(name: string): boolean {
  return name.endsWith('-bin');
}
