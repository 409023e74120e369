import type { FastifyRequest } from 'fastify';

import type { MethodRow } from '../api/api-method';
import type { ApiCall, ApiRoute } from '../api/api-observer';

/**
 * An HTTP request in the form that the observer needs. Rarely used values are looked up on access,
 * so that a request costs nothing for values that are not used.
 */
export class HttpApiCall implements ApiCall {
  readonly protocol = 'http';
  readonly path: string;
  readonly #request: FastifyRequest;

  constructor(request: FastifyRequest) {
    this.#request = request;
    this.path = pathOf(request.originalUrl);
  }

  get isPassed(): boolean {
    return this.#request.isPassed;
  }

  get verb(): string {
    return this.#request.method;
  }

  get target(): string {
    const { originalUrl, raw } = this.#request;
    return originalUrl === '' ? (raw.url ?? '/') : originalUrl;
  }

  get method(): MethodRow | undefined {
    return this.#request.routeOptions.config.row;
  }

  get route(): ApiRoute | undefined {
    const { is404, routeOptions, params } = this.#request;
    const { template } = routeOptions.config;
    if (is404 || template === undefined) return undefined;
    const { store: storeName } = params as { readonly store?: string };
    return { template, storeName };
  }

  get remoteAddress(): string | undefined {
    return this.#request.raw.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#request.raw.socket.remotePort;
  }

  get requestBytes(): number {
    return bytesOf(this.#request.raw.headers['content-length']);
  }

  header(name: string): string | undefined {
    const value = this.#request.raw.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  headerNames(): readonly string[] {
    return Object.keys(this.#request.raw.headers);
  }

  binary(): undefined {
    return undefined;
  }
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** The value of a content-length header. 0 if it is absent or invalid. */
export function bytesOf(header: unknown): number {
  const bytes = Number(header ?? 0);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}
