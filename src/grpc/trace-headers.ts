import { Metadata } from '@grpc/grpc-js';

import type { ObservedCall } from '../api/api-observer';

/** The headers by which a call is told its trace; undefined where it is in none. */
export function toTraceHeaders(observed: ObservedCall | undefined): Metadata | undefined {
  const traceBin = observed?.responseTraceBin;
  if (traceBin === undefined) return undefined;
  const metadata = new Metadata();
  metadata.set('grpc-trace-bin', traceBin);
  const baggage = observed?.responseBaggage;
  if (baggage !== undefined) metadata.set('baggage', baggage);
  return metadata;
}
