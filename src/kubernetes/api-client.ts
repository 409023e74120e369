import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

import { Cancellation } from '../base/cancellation';
import { pauseWithin, runWithin, whenOver } from '../base/race';
import { readRegularFile } from '../base/regular-file';
import { HOLDFAST_VERSION } from '../base/version';
import { ApiError, toRefused, toUnanswered } from './api-error';
import type { ServiceAccount } from './service-account';

/** How long an answer may take, in milliseconds. */
const ANSWER_WITHIN_MS = 10_000;

/** The pauses before a request is repeated that had no answer, in milliseconds. */
const PAUSES_MS = [200, 400, 800, 1600];

/** How long a connection may be silent before TCP probes it, in milliseconds. */
const TCP_KEEPALIVE_MS = 15_000;

/** The longest line of a watch, in characters: etcd stores no object of more than 1.5 MiB. */
const LONGEST_LINE = 16 * 2 ** 20;

/**
 * Reads from the API server with the service account of the pod. Token and certificate authority
 * are read again for every request. docs/decisions/0016 says why this is no library.
 */
export class ApiClient {
  readonly #account: ServiceAccount;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #closing = new Cancellation();

  constructor(account: ServiceAccount) {
    this.#account = account;
  }

  /** The namespace of the pod. */
  get namespace(): string {
    return this.#account.namespace;
  }

  /** The URL of a path without its query, for messages. */
  urlOf(path: string): string {
    const { host, port } = this.#account;
    return `https://${host.includes(':') ? `[${host}]` : host}:${port}${path.replace(/\?.*$/s, '')}`;
  }

  /**
   * Gets an object or a list. A request is repeated a few times if there is no answer, or the server
   * is busy.
   *
   * @throws {ApiError} with the server's reason
   */
  async get(path: string): Promise<unknown> {
    for (const pauseMs of PAUSES_MS) {
      try {
        return await this.#getOnce(path);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isPassing) throw error;
        await this.#pause(pauseMs, error);
      }
    }
    return this.#getOnce(path);
  }

  /**
   * Yields the lines of an answer that goes on, as they arrive.
   *
   * @param signal ends it
   * @param onAnswer called when the server has accepted the request
   * @throws {ApiError} with the server's reason, or if the connection breaks
   */
  async *lines(
    path: string,
    { signal, onAnswer }: { readonly signal: AbortSignal; readonly onAnswer: () => void },
  ): AsyncGenerator<string> {
    const over = new AbortController();
    const release = whenOver({ signals: [signal, this.#closing] }, (ended) => {
      over.abort(ended?.reason);
    });
    try {
      const response = await this.#send(path, over.signal);
      onAnswer();
      yield* this.#split(path, response);
    } finally {
      release();
    }
  }

  async *#split(path: string, response: IncomingMessage): AsyncGenerator<string> {
    let rest = '';
    try {
      for await (const part of response) {
        const lines = (rest + String(part)).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > LONGEST_LINE) throw new Error('a line is too long');
        yield* lines.filter((line) => line !== '');
      }
    } catch (cause) {
      throw toUnanswered(this.urlOf(path), cause);
    }
  }

  /** Ends all requests. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  async #pause(pauseMs: number, reason: ApiError): Promise<void> {
    await pauseWithin({ afterMs: pauseMs, signals: [this.#closing] });
    if (this.#closing.aborted) throw reason;
  }

  async #getOnce(path: string): Promise<unknown> {
    const limit = { afterMs: ANSWER_WITHIN_MS, signals: [this.#closing] };
    const body = await runWithin(limit, async (over) =>
      this.#read(path, await this.#send(path, over)),
    );
    try {
      return JSON.parse(body) as unknown;
    } catch {
      throw new ApiError(`${this.urlOf(path)}: the answer is no JSON`);
    }
  }

  async #read(path: string, response: IncomingMessage): Promise<string> {
    let text = '';
    try {
      for await (const part of response) text += String(part);
    } catch (cause) {
      throw toUnanswered(this.urlOf(path), cause);
    }
    return text;
  }

  async #send(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { caFile, tokenFile } = this.#account;
    const [ca, token] = [await readRegularFile(caFile), await readRegularFile(tokenFile)];
    const response = await this.#request(path, { ca, token: token.trim(), signal });
    response.setEncoding('utf8');
    const { statusCode = 0 } = response;
    if (statusCode === 200) return response;
    throw toRefused(this.urlOf(path), statusCode, await this.#read(path, response));
  }

  #request(
    path: string,
    {
      ca,
      token,
      signal,
    }: { readonly ca: string; readonly token: string; readonly signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const { host, port } = this.#account;
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': `holdfast/${HOLDFAST_VERSION}`,
    };
    return new Promise((resolve, reject) => {
      const call = request({ host, port, path, ca, headers, agent: this.#agent, signal }, resolve);
      // The agent does this for idle connections only, and a watch is silent for minutes.
      call.on('socket', (socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
      call.on('error', (cause) => {
        reject(toUnanswered(this.urlOf(path), cause));
      });
      call.end();
    });
  }
}
