import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { FastifyReply } from 'fastify';

import type { MethodCall } from '../api/api-method';
import { Cancellation } from '../base/cancellation';
import type { LockObserver } from '../lock/lock-observer';
import type { ApiRequest } from './http-method';

/** What a handler sees of a request beside what its codec has read. */
export class HttpMethodCall implements MethodCall {
  /** Aborts when the caller hangs up before its answer was handed to the kernel. */
  readonly signal = new Cancellation();
  readonly #request: ApiRequest;

  constructor(request: ApiRequest, { raw: response }: FastifyReply) {
    this.#request = request;
    const { socket } = request.raw;
    response.once('close', () => {
      if (!isSent(response, socket)) this.signal.abort();
    });
  }

  get observer(): LockObserver | undefined {
    return this.#request.observed?.lockObserver;
  }

  metadata(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}

/**
 * True for a closed response that was handed to the kernel whole: it has let go of a socket that lives on.
 * Node calls one finished, too, that was thrown away with its socket; a socket that was to close
 * after its last answer is not gone yet when that answer is.
 */
function isSent(response: ServerResponse, socket: Socket): boolean {
  return response.socket === null && !socket.destroyed;
}
