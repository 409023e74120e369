import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

import type { ByteBudget } from './byte-budget';
import type { Turns } from './turns';
import type { UnreadAnswers } from './unread-answers';

/** What connections of several servers share. */
export interface Shares {
  readonly turns: Turns;
  /** For what has been read of connections and has to wait. */
  readonly waiting: ByteBudget;
  readonly unread: UnreadAnswers;
}

/**
 * Answers the requests of a connection one after another, however many were sent at once (HTTP/1.1
 * pipelining). The next one is read only when the answer to the one before has gone to the kernel,
 * and after a turn of all others. Node by itself hands over all requests of what it has read, 64 KiB
 * or 2,500 requests of the shortest kind, and keeps all answers to them for a client that reads none.
 *
 * A connection keeps no more than what was read in one piece; where all of them together keep
 * too much, those that are in the way are cut.
 */
export class OneAtATime {
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #shares: Shares;

  constructor(shares: Shares) {
    this.#shares = shares;
  }

  /** The listener to make the server with, in place of the one that answers. */
  wrap(answer: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#connections.get(request.socket);
      if (connection === undefined) answer(request, response);
      else connection.queue({ request, response, answer });
    };
  }

  /** Watches the connections of a server that was made with a wrapped listener. */
  watch(server: Server): void {
    // Over TLS requests come with another socket than the one that was accepted.
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#connections.set(socket, new Connection(socket, this.#shares));
    });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: RequestListener;
}

/** What stands between the headers of a request and what follows. */
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/**
 * The shortest piece that is handed to the parser by itself, in bytes. Ten requests have room in it:
 * that many may be parsed before their turn. A request as clients send it goes in one piece.
 */
const SHORTEST_PIECE = 256;

class Connection {
  readonly #socket: Socket;
  readonly #shares: Shares;
  /** Node's own listener: the parser. */
  readonly #parse: (data: Buffer) => void;
  #current: Exchange | undefined;
  /** Parsed, and not begun. */
  readonly #next: Exchange[] = [];
  /** Read, and not parsed. */
  #held: Buffer | undefined;

  /** To be made after Node's own listener has attached the parser. */
  constructor(socket: Socket, shares: Shares) {
    this.#socket = socket;
    this.#shares = shares;
    const [parse] = socket.listeners('data');
    if (parse === undefined) throw new Error('Node has changed how it reads HTTP requests');
    this.#parse = parse as (data: Buffer) => void;
    socket.removeListener('data', this.#parse);
    socket.on('data', (data: Buffer) => {
      this.#receive(data);
    });
    socket.once('close', () => {
      this.#next.length = 0;
      this.#hold(undefined);
    });
  }

  /** Answers a request, now or in its turn. */
  queue(exchange: Exchange): void {
    if (this.#current === undefined) this.#begin(exchange);
    else this.#next.push(exchange);
  }

  #begin(exchange: Exchange): void {
    const { request, response, answer } = exchange;
    this.#current = exchange;
    response.once('close', () => {
      this.#current = undefined;
      if (this.#next.length > 0 || this.#held !== undefined) this.#waitForTurn();
    });
    this.#shares.unread.watch(response);
    answer(request, response);
  }

  #waitForTurn(): void {
    this.#shares.turns.add(() => {
      if (this.#socket.destroyed) return;
      const exchange = this.#next.shift();
      if (exchange !== undefined) this.#begin(exchange);
      const held = this.#held;
      if (held === undefined) return;
      this.#hold(undefined);
      this.#receive(held);
      if (this.#held === undefined) this.#socket.resume();
    });
  }

  /** Parses data up to where a request stands that has to wait. */
  #receive(data: Buffer): void {
    let rest = this.#held === undefined ? data : Buffer.concat([this.#held, data]);
    while (rest.length > 0 && !this.#isAnswering && !this.#socket.destroyed) {
      const end = endOfPiece(rest);
      this.#parse(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    if (rest.length === 0) return;
    this.#socket.pause();
    this.#hold(rest);
  }

  /** True once a request has been read whole. Until then what comes is its body. */
  get #isAnswering(): boolean {
    return this.#current?.request.complete === true;
  }

  #hold(data: Buffer | undefined): void {
    const { waiting } = this.#shares;
    waiting.give(this.#held?.length ?? 0);
    this.#held = undefined;
    if (data === undefined) return;
    if (waiting.take(data.length)) this.#held = data;
    else this.#socket.destroy();
  }
}

/** The first piece of data that is to be parsed by itself: all of it, where no second request is in it. */
function endOfPiece(data: Buffer): number {
  const end = data.indexOf(END_OF_HEADERS, SHORTEST_PIECE);
  if (end === -1 || data.indexOf(END_OF_HEADERS, end + END_OF_HEADERS.length) === -1) {
    return data.length;
  }
  return end + END_OF_HEADERS.length;
}
