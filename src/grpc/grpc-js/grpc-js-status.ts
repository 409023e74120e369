import { Metadata, status, type StatusObject } from '@grpc/grpc-js';

import type { AnswerMetadata } from '../answer-metadata';
import type { GrpcStatus } from '../grpc-status';
import { Status } from '../status';

/** Converts metadata of an answer to that of grpc-js, which copies and merges it by private fields. */
export function toGrpcJsMetadata(metadata: AnswerMetadata): Metadata {
  const converted = new Metadata();
  for (const [name, value] of metadata.entries()) converted.set(name, value);
  return converted;
}

/** Converts a status to that of grpc-js. */
export function toGrpcJsStatus(answered: GrpcStatus): Partial<StatusObject> {
  const { details, metadata } = answered;
  const code = status[Status[answered.code] as keyof typeof status];
  if (metadata === undefined) return { code, details };
  return { code, details, metadata: toGrpcJsMetadata(metadata) };
}
