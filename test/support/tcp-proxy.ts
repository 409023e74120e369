import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One connection through the proxy. */
interface Pair {
  readonly targetPort: number;
  readonly client: Socket;
  readonly server: Socket;
  /** Requests that were held back, in order. */
  readonly held: Buffer[];
  /** True once bytes were swallowed: TCP gives all of them or none, so it stays silent then. */
  isMute: boolean;
  readonly toServer: Direction;
  readonly toClient: Direction;
}

/** The data on its way. */
interface Direction {
  readonly delayed: (() => void)[];
}

/**
 * A TCP proxy whose network is as bad as a test wants it: every switch acts on what comes next.
 * A connection of which something was swallowed says nothing more, also when the proxy is healed.
 * It may lead to several servers, each by a port of its own; the switches are those of the whole network.
 */
export class TcpProxy {
  /** Requests reach the server, replies are swallowed. */
  dropReplies = false;
  /** Requests are swallowed. */
  dropRequests = false;
  /** Requests are kept until `deliverHeld`, also where their client has gone by then. */
  holdRequests = false;
  /** New connections are ended at once. */
  refuse = false;
  /** Each direction is late by so many milliseconds. */
  delayMs = 0;
  /** The next reply is cut in its middle, and its connection with it. */
  cutNextReply = false;
  /** Nothing reaches the server at this port, and nothing comes from it. */
  silentPort: number | undefined;
  readonly #servers: readonly Server[];
  readonly #pairs = new Set<Pair>();

  private constructor(targetPorts: readonly number[]) {
    this.#servers = targetPorts.map((targetPort) =>
      createServer({ allowHalfOpen: true }, (client) => {
        this.#accept(client, targetPort);
      }),
    );
  }

  /** Starts a proxy on a free port of the loopback interface. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy([targetPort]);
    await listen(proxy.#servers[0]!, '127.0.0.1', 0);
    return proxy;
  }

  /** Starts a proxy that has the same ports as some servers, on another address of the loopback interface. */
  static async startOn(host: string, ports: readonly number[]): Promise<TcpProxy> {
    const proxy = new TcpProxy(ports);
    await Promise.all(proxy.#servers.map((server, at) => listen(server, host, ports[at]!)));
    return proxy;
  }

  /** The port that stands for the server's, or the first one's. */
  get port(): number {
    return (this.#servers[0]!.address() as AddressInfo).port;
  }

  /** True where a request was held back and not yet delivered. */
  get isHolding(): boolean {
    return [...this.#pairs].some(({ held }) => held.length > 0);
  }

  /** Takes every switch back; what was held back stays held. */
  heal(): void {
    this.dropReplies = false;
    this.dropRequests = false;
    this.holdRequests = false;
    this.refuse = false;
    this.cutNextReply = false;
    this.delayMs = 0;
    this.silentPort = undefined;
  }

  /** Ends every connection to clients; those to the server stay where requests are held for it. */
  cut(): void {
    for (const { client } of this.#pairs) client.destroy();
  }

  /** Gives the server what was held back. */
  deliverHeld(): void {
    for (const pair of [...this.#pairs]) {
      for (const part of pair.held.splice(0)) pair.server.write(part);
      if (pair.client.destroyed) pair.server.end();
    }
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    await Promise.all(closed);
  }

  #accept(client: Socket, targetPort: number): void {
    client.on('error', () => undefined);
    if (this.refuse) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: targetPort });
    const pair: Pair = {
      targetPort,
      client,
      server,
      held: [],
      isMute: false,
      toServer: { delayed: [] },
      toClient: { delayed: [] },
    };
    this.#pairs.add(pair);
    server.on('error', () => undefined);
    client.on('data', (data) => {
      this.#toServer(pair, data);
    });
    server.on('data', (data) => {
      this.#toClient(pair, data);
    });
    client.on('close', () => {
      if (pair.held.length === 0) server.end();
    });
    client.on('end', () => client.end());
    server.on('close', () => {
      client.destroy();
      this.#pairs.delete(pair);
    });
  }

  #toServer(pair: Pair, data: Buffer): void {
    if (this.dropRequests || pair.targetPort === this.silentPort) pair.isMute = true;
    if (pair.isMute) return;
    if (this.holdRequests || pair.held.length > 0) {
      pair.held.push(data);
      return;
    }
    this.#later(pair.toServer, () => pair.server.write(data));
  }

  #toClient(pair: Pair, data: Buffer): void {
    if (this.dropReplies || pair.targetPort === this.silentPort) pair.isMute = true;
    if (pair.isMute) return;
    if (this.cutNextReply) {
      this.cutNextReply = false;
      pair.client.write(data.subarray(0, Math.floor(data.length / 2)));
      pair.client.destroySoon();
      return;
    }
    this.#later(pair.toClient, () => pair.client.write(data));
  }

  /** After the delay, and after all that was delayed before: TCP keeps the order. */
  #later(direction: Direction, run: () => void): void {
    const waiting = direction.delayed;
    if (this.delayMs === 0 && waiting.length === 0) {
      run();
      return;
    }
    waiting.push(run);
    setTimeout(() => {
      waiting.shift()?.();
    }, this.delayMs);
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
