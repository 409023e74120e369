import type { ApiResult } from '../api/api-observer';

/** The result of an API call, with its duration. */
export interface MeasuredResult extends ApiResult {
  readonly requestBytes: number;
  readonly durationMs: number;
}
