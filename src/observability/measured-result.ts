import type { ApiResult } from '../api/api-observer';

/** How a call of the API ended, and how long it took. */
export interface MeasuredResult extends ApiResult {
  readonly requestBytes: number;
  readonly durationMs: number;
}
