import { runWithin } from '../base/race';
import type { HttpUpstream } from './http-upstream';

/** A request of this sidecar's own to the upstream. */
export interface OwnRequest {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  /** Names and values in turn. */
  readonly fields?: readonly string[];
  /** How long the answer may take, in milliseconds. */
  readonly afterMs: number;
}

/**
 * Asks the upstream, and drops the body of its answer.
 *
 * @returns the status
 * @throws {UpstreamError} if there is no answer in time
 */
export function askUpstream(upstream: HttpUpstream, own: OwnRequest): Promise<number> {
  const { method, target, fields = [], afterMs } = own;
  const length = method === 'POST' ? ['content-length', '0'] : [];
  const rawHeaders = ['host', upstream.host ?? 'localhost', ...length, ...fields];
  return runWithin({ afterMs }, async (over) => {
    const sent = upstream.send({ method, target, rawHeaders });
    over.addEventListener('abort', () => {
      sent.destroy(new Error('it did not answer in time'));
    });
    return new Promise<number>((resolve, reject) => {
      sent.on('error', (error) => {
        reject(upstream.toError(sent, error));
      });
      sent.once('response', (answer) => {
        answer.on('error', () => undefined);
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.end();
    });
  });
}
