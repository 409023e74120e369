import type { ObservedCall } from '../api/api-observer';
import { AnswerMetadata } from './answer-metadata';

/** The response headers that carry the trace of a call. Undefined if the call has no trace. */
export function toTraceHeaders(observed: ObservedCall | undefined): AnswerMetadata | undefined {
  const traceBin = observed?.responseTraceBin;
  if (traceBin === undefined) return undefined;
  const metadata = new AnswerMetadata();
  metadata.set('grpc-trace-bin', traceBin);
  const baggage = observed?.responseBaggage;
  if (baggage !== undefined) metadata.set('baggage', baggage);
  return metadata;
}
