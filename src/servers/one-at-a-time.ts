import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

import { SharedBuffer } from '../runtime/shared-buffer';
import type { ByteBudget } from './byte-budget';
import type { Turns } from './turns';
import type { UnreadAnswers } from './unread-answers';

/** The limits that the connections of several servers share. */
export interface Shares {
  readonly turns: Turns;
  /** For data that was read from connections and must wait. */
  readonly waiting: ByteBudget;
  readonly unread: UnreadAnswers;
}

/**
 * Answers the requests of a connection one after another, however many were sent at once (HTTP/1.1
 * pipelining). The next one is read only after the answer to the one before went to the kernel, and
 * after other connections had a turn. Node by itself handles all requests that it has read at once
 * (64 KiB, or 2,500 of the shortest), and keeps all answers for a client that does not read.
 *
 * A connection keeps no more than one read of data. If all of them together keep too much, the
 * connections that exceed the limit are closed.
 */
export class OneAtATime {
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #shares: Shares;
  readonly #buffer = new SharedBuffer();

  constructor(shares: Shares) {
    this.#shares = shares;
  }

  /** Wraps a request listener. Create the server with the result. */
  wrap(answer: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#connections.get(request.socket);
      if (connection === undefined) answer(request, response);
      else connection.queue({ request, response, answer });
    };
  }

  /** True for a connection without an open request. */
  isIdle(socket: Socket): boolean {
    return this.#connections.get(socket)?.isIdle ?? true;
  }

  /** Watches the connections of a server with a wrapped listener. */
  watch(server: Server): void {
    // Over TLS, the socket of a request is not the accepted one.
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#connections.set(socket, new Connection(socket, this.#shares, this.#buffer));
    });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: RequestListener;
}

/** How long the rest of a body may take after its request was answered, in milliseconds. */
const REST_MS = 1000;

/** The end of the headers of a request. */
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/**
 * The shortest piece that is parsed by itself, in bytes. It can contain ten requests, which are
 * then parsed before their turn. A usual request is one piece.
 */
const SHORTEST_PIECE = 256;

class Connection {
  readonly #socket: Socket;
  readonly #shares: Shares;
  /** Node's own listener, which parses. */
  readonly #parse: (data: Buffer) => void;
  #current: Exchange | undefined;
  /** Parsed requests that are not started. */
  readonly #next: Exchange[] = [];
  /** Data that is read but not parsed. */
  #held: Buffer | undefined;

  /** Create this after Node's own listener has attached the parser. */
  constructor(socket: Socket, shares: Shares, buffer: SharedBuffer) {
    this.#socket = socket;
    this.#shares = shares;
    const [parse] = socket.listeners('data');
    if (parse === undefined) throw new Error('Node has changed how it reads HTTP requests');
    this.#parse = parse as (data: Buffer) => void;
    socket.removeListener('data', this.#parse);
    const receive = (data: Buffer): void => {
      this.#receive(data);
    };
    // This listener may never be called, but it prevents Node from reading the socket by itself.
    socket.on('data', receive);
    buffer.read(socket, receive);
    socket.on('close', () => {
      this.#next.length = 0;
      this.#hold(undefined);
    });
  }

  get isIdle(): boolean {
    return this.#current === undefined && this.#next.length === 0;
  }

  /** Answers a request, now or in its turn. */
  queue(exchange: Exchange): void {
    if (this.#current === undefined) this.#begin(exchange);
    else this.#next.push(exchange);
  }

  #begin(exchange: Exchange): void {
    const { request, response, answer } = exchange;
    this.#current = exchange;
    response.on('close', () => {
      this.#current = undefined;
      if (!request.complete) this.#limitRest(request);
      if (this.#next.length > 0 || this.#held !== undefined) this.#waitForTurn();
    });
    this.#shares.unread.watch(response);
    answer(request, response);
  }

  /**
   * Closes the connection if a body has not ended in time after its request was answered. Nobody
   * uses the rest of it.
   */
  #limitRest(request: IncomingMessage): void {
    setTimeout(() => {
      if (!request.complete) this.#socket.destroy();
    }, REST_MS).unref();
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

  /** Parses data up to a request that must wait. */
  #receive(data: Buffer): void {
    let rest = this.#held === undefined ? data : Buffer.concat([this.#held, data]);
    while (rest.length > 0 && !this.#isAnswering && !this.#socket.destroyed) {
      const end = endOfPiece(rest);
      if (end === rest.length) {
        this.#parse(rest);
        return;
      }
      this.#parse(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    if (rest.length === 0) return;
    this.#socket.pause();
    this.#hold(rest);
  }

  /** True once a complete request was read. Before that, new data is its body. */
  get #isAnswering(): boolean {
    return this.#current?.request.complete === true;
  }

  #hold(data: Buffer | undefined): void {
    const { waiting } = this.#shares;
    waiting.give(this.#held?.length ?? 0);
    this.#held = undefined;
    if (data === undefined) return;
    if (waiting.take(data.length)) this.#held = Buffer.from(data);
    else this.#socket.destroy();
  }
}

/** The end of the first piece to parse by itself: all data, if it contains no second request. */
function endOfPiece(data: Buffer): number {
  const end = data.indexOf(END_OF_HEADERS, SHORTEST_PIECE);
  if (end === -1 || data.indexOf(END_OF_HEADERS, end + END_OF_HEADERS.length) === -1) {
    return data.length;
  }
  return end + END_OF_HEADERS.length;
}
