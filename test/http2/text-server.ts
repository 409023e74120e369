import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import { encodeFields } from '../../src/http2/hpack-encoder';
import { HuffmanDecoder } from '../../src/http2/huffman';
import type { ServerStream, StreamListener } from '../../src/http2/server-stream';
import { type Patience, SocketConnection } from '../../src/http2/socket-connection';

const HEAD = encodeFields([':status', '200', 'content-type', 'text/plain']);

const TEXT = Buffer.from('Hello, whoever you are.\n');

/** Answers every complete request: GET with a text, POST with its own content and fields. */
function answer(stream: ServerStream): StreamListener {
  stream.respond(HEAD, { isEnd: false });
  const isEcho = stream.head.method === 'POST';
  return {
    data: (bytes) => {
      stream.consume(bytes.length);
      if (isEcho) stream.write(Buffer.from(bytes));
    },
    ended: () => {
      if (!isEcho) stream.write(TEXT);
      stream.end(isEcho ? encodeFields(fieldsOf(stream)) : undefined);
    },
    drained: () => undefined,
    closed: () => undefined,
  };
}

/** The fields of a request whose names begin with x-, which POST gets back as trailers. */
function fieldsOf({ head }: ServerStream): readonly string[] {
  const { fields } = head.list;
  return fields.filter((_text, at) => fields[at - (at % 2)]!.startsWith('x-'));
}

/** A server on the transport alone, for tools that test HTTP/2. */
export class TextServer {
  readonly connections = new Set<SocketConnection>();
  readonly #server: Server;
  readonly #huffman = new HuffmanDecoder();

  /** @param tls a certificate and its key; left out for plain connections */
  constructor(
    tls?: { readonly cert: string | Buffer; readonly key: string | Buffer },
    patience?: Patience,
  ) {
    const accept = (socket: Socket) => {
      const connection = new SocketConnection({
        socket,
        huffman: this.#huffman,
        onRequest: answer,
        ...(patience === undefined ? {} : { patience }),
        onClose: () => this.connections.delete(connection),
      });
      this.connections.add(connection);
    };
    this.#server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, accept);
  }

  /** Listens on a free port of 127.0.0.1, and returns it. */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
