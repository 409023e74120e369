import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * A store as a user of fencing tokens needs it: `PUT` with the header `fencing-token` is answered with 204, or with
 * 409 where a higher token has been seen.
 */
export class FencedStore {
  /** The writes, in order. */
  readonly written: string[] = [];
  readonly #server: Server;
  #highest = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** Starts it on a free port of the loopback interface. */
  static async start(): Promise<FencedStore> {
    const store = new FencedStore();
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  /** Where to write. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/report`;
  }

  /** Ends it and its connections. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = Number(request.headers['fencing-token']);
    const what = await text(request);
    const isRefused = !(token >= this.#highest);
    response.writeHead(isRefused ? 409 : 204).end();
    if (isRefused) return;
    this.#highest = token;
    this.written.push(what);
  }
}
