import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

import { LONGEST_CALL_MS, type LockCaller, PROBE_STORE, type ProbeTarget } from './probe';

const EXPECTED = { lock: '{"success":true}', unlock: '{"status":0}' } as const;

/** Lock calls over HTTP/1.1, on connections that are kept. */
export class HttpLockCaller implements LockCaller {
  readonly transport = 'HTTP';
  readonly #target: ProbeTarget;
  readonly #agent: PlainAgent;

  constructor(target: ProbeTarget) {
    this.#target = target;
    const kept = { keepAlive: true };
    this.#agent = target.tls === true ? new TlsAgent(kept) : new PlainAgent(kept);
  }

  async call(action: 'lock' | 'unlock', resourceId: string): Promise<void> {
    const owner = { resourceId, lockOwner: 'probe' };
    const body = action === 'lock' ? { ...owner, expiryInSeconds: 60 } : owner;
    const answer = await this.#post(action, JSON.stringify(body));
    if (!answer.startsWith('200 ') || !answer.includes(EXPECTED[action])) throw new Error(answer);
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(action: 'lock' | 'unlock', body: string): Promise<string> {
    const { httpPort, token, tls } = this.#target;
    const options = {
      host: '127.0.0.1',
      port: httpPort,
      method: 'POST',
      path: `/v1.0-alpha1/${action}/${PROBE_STORE}`,
      headers: token === undefined ? {} : { 'dapr-api-token': token },
      agent: this.#agent,
      timeout: LONGEST_CALL_MS,
    };
    return new Promise((resolve, reject) => {
      const outgoing =
        tls === true
          ? tlsRequest({ ...options, rejectUnauthorized: false })
          : plainRequest(options);
      outgoing.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve(`${String(response.statusCode)} ${Buffer.concat(parts).toString()}`);
        });
      });
      outgoing.on('timeout', () => {
        outgoing.destroy(new Error(`no answer after ${LONGEST_CALL_MS} ms`));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
