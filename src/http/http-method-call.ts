import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { FastifyReply } from 'fastify';

import type { MethodCall } from '../api/api-method';
import { Cancellation } from '../base/cancellation';
import type { LockObserver } from '../lock/lock-observer';
import type { ApiRequest } from './http-method';

/** The parts of a request that a handler can see in addition to the decoded request. */
export class HttpMethodCall implements MethodCall {
  /** Aborts if the caller disconnects before its answer was handed to the kernel. */
  readonly signal = new Cancellation();
  readonly #request: ApiRequest;
  readonly #reply: FastifyReply;

  constructor(request: ApiRequest, reply: FastifyReply) {
    const { raw: response } = reply;
    this.#request = request;
    this.#reply = reply;
    const { socket } = request.raw;
    response.once('close', () => {
      if (!isSent(response, socket)) this.signal.abort();
    });
  }

  get observer(): LockObserver | undefined {
    return this.#request.observed?.lockObserver;
  }

  attach(name: string, value: string): void {
    this.#reply.header(name, value);
  }

  waits(): void {
    // A connection of HTTP/1.1 has one call at a time, whatever it does.
  }

  metadata(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}

/**
 * True for a closed response that was completely handed to the kernel: it is detached from a socket
 * that is still open. Node's own flag is not enough, because it also marks a response as finished
 * that was discarded with its socket. A socket that closes after its last answer is not destroyed
 * yet when the response closes.
 */
function isSent(response: ServerResponse, socket: Socket): boolean {
  return response.socket === null && !socket.destroyed;
}
