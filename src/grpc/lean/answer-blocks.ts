import type { OutgoingHttpHeaders } from 'node:http2';

import { encodeFields } from '../../http2/hpack-encoder';
import { type GrpcStatus, OK_STATUS } from '../grpc-status';
import { toTrailers, toTrailersOnly } from '../trailers-only';
import type { AnswerMetadata } from '../answer-metadata';

/** The headers of an answer (gRPC over HTTP/2, Responses), as grpc-js sends them. */
const HEAD = [
  ...[':status', '200'],
  ...['content-type', 'application/grpc+proto'],
  ...['grpc-accept-encoding', 'identity,deflate,gzip'],
  ...['grpc-encoding', 'identity'],
];

/** The header blocks of answers. The usual ones are made once and serve all connections. */
export class AnswerBlocks {
  readonly #head = encodeFields(HEAD);
  readonly #success = encodeFields(['grpc-status', '0', 'grpc-message', 'OK']);

  /** The headers before the messages of an answer. */
  head(metadata: AnswerMetadata | undefined): Buffer {
    if (metadata === undefined) return this.#head;
    return Buffer.concat([this.#head, encodeFields(toFields(metadata.toHttp2Headers()))]);
  }

  /** The trailers after them. */
  trailers(status: GrpcStatus): Buffer {
    if (status === OK_STATUS) return this.#success;
    return encodeFields(toFields(toTrailers(status)));
  }

  /** The single block of an answer without messages. */
  trailersOnly(status: GrpcStatus): Buffer {
    return encodeFields(toFields(toTrailersOnly(status)));
  }
}

/** Converts headers of node:http2 to names and values in turn. */
export function toFields(headers: OutgoingHttpHeaders): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((text) => [name, String(text)]),
  );
}
