import { readFileSync } from 'node:fs';

import { Client, credentials } from '@grpc/grpc-js';

import { callDaprOver } from '../support/grpc-call';
import { LONGEST_CALL_MS, type LockCaller, PROBE_STORE, type ProbeTarget } from './probe';
import { TLS_CERTIFICATE } from './tls-files';

/** The answer to a lock call, as proto-loader gives it. */
interface Answer {
  readonly success?: boolean;
  readonly status?: number;
}

/** Whom to call, and the locks of which store. */
interface GrpcCallerOptions extends Omit<ProbeTarget, 'httpPort' | 'pid'> {
  readonly store?: string;
}

/** Lock calls over gRPC, on one connection. */
export class GrpcLockCaller implements LockCaller {
  readonly transport = 'gRPC';
  readonly #client: Client;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #store: string;

  /** Opens its connection with the first call. */
  constructor({ grpcPort, token, tls, store = PROBE_STORE }: GrpcCallerOptions) {
    this.#store = store;
    const kind =
      tls === true
        ? credentials.createSsl(readFileSync(TLS_CERTIFICATE))
        : credentials.createInsecure();
    // The default backoff after a lost connection is a second and more: not the sidecar's doing.
    const backoff = {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 50,
    };
    this.#client = new Client(`localhost:${String(grpcPort)}`, kind, backoff);
    this.#metadata = token === undefined ? {} : { 'dapr-api-token': token };
  }

  async call(
    action: 'lock' | 'unlock',
    resourceId: string,
    deadlineMs = LONGEST_CALL_MS,
  ): Promise<void> {
    const { success = false, status = 0 } = await this.#invoke(action, resourceId, deadlineMs);
    if (action === 'lock' && !success) throw new Error('success: false');
    if (action === 'unlock' && status !== 0) throw new Error(`status: ${status}`);
  }

  close(): void {
    this.#client.close();
  }

  #invoke(action: 'lock' | 'unlock', resourceId: string, deadlineMs: number): Promise<Answer> {
    const method = action === 'lock' ? 'TryLockAlpha1' : 'UnlockAlpha1';
    const message = { storeName: this.#store, resourceId, lockOwner: 'probe', expiryInSeconds: 60 };
    return callDaprOver(this.#client, { method, message, metadata: this.#metadata, deadlineMs });
  }
}
