import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { eventually } from '../support/eventually';
import { HttpFixture, NOT_ROUTED } from './http-fixture';

/** A connection by hand, for what an HTTP client would not send. */
class RawConnection {
  readonly #socket: Socket;
  #isKeptOpen = false;
  received = '';
  closed = false;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket.on('end', () => {
      if (!this.#isKeptOpen) this.#socket.end();
    });
    this.#socket.on('data', (part) => {
      this.received += part.toString();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): this {
    this.#socket.write(text);
    return this;
  }

  /** Does not close its side when the server does. */
  keepOpen(): this {
    this.#isKeptOpen = true;
    return this;
  }

  /** Whether nobody is there any more: what is sent then is answered by a reset. */
  isReset(): boolean {
    this.#socket.write('x');
    return this.closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  receives(text: string): Promise<void> {
    return eventually(() => {
      expect(this.received).toContain(text);
    });
  }
}

describe('HTTP connections', () => {
  let http: HttpFixture;
  let connection: RawConnection;
  beforeAll(async () => {
    http = await new HttpFixture().start();
    http.sidecar.health.markReady('runtime');
  });
  afterAll(() => http.server.close());
  beforeEach(() => {
    connection = new RawConnection(http.port);
  });
  afterEach(() => {
    connection.destroy();
  });

  it('are cut after 10 to 11 s where the headers do not come', async () => {
    const startedAt = performance.now();
    connection.send('GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\n');
    await eventually(
      () => {
        expect(connection.closed).toBe(true);
      },
      { withinMs: 13_000 },
    );
    // The upper bound is the server's second of checking and a busy machine's allowance.
    const elapsedMs = performance.now() - startedAt;
    expect(elapsedMs).toBeGreaterThan(9900);
    expect(elapsedMs).toBeLessThan(13_000);
  });

  it('are asked by the kernel whether their client is still there', async () => {
    connection.send('GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.receives('204');
    const port = http.port.toString(16).toUpperCase().padStart(4, '0');
    // The table's own documentation (Documentation/networking/proc_net_tcp.rst): 02 is the keepalive timer.
    const established = new RegExp(`^ *\\d+: \\w+:${port} \\w+:\\w+ 01 \\w+:\\w+ (\\w+):`, 'm');
    const [, timer] = established.exec(readFileSync('/proc/net/tcp', 'utf8')) ?? [];
    expect(timer).toBe('02');
  });

  it('are kept while idle', async () => {
    connection.send('GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.receives('204 No Content');
    // Longer than Node's own five seconds of keep-alive.
    await new Promise((resolve) => setTimeout(resolve, 6500));
    connection.received = '';
    connection.send('GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.receives('204 No Content');
  });

  it('carry requests one after another', async () => {
    const request = 'GET /nope HTTP/1.1\r\nhost: x\r\n\r\n';
    connection.send(request + request);
    await eventually(() => {
      expect(connection.received.split(NOT_ROUTED)).toHaveLength(3);
    });
  });

  it('answer the last request, whatever is sent after it', async () => {
    const lock = (headers: string) =>
      `POST /v1.0-alpha1/lock/s HTTP/1.1\r\nhost: x\r\n${headers}content-length: 2\r\n\r\n{}`;
    connection.send(lock('connection: close\r\n') + lock(''));
    await eventually(() => {
      expect(connection.closed).toBe(true);
    });
    expect(connection.received).toMatch(/^HTTP\/1.1 200 OK/);
    expect(connection.received.split('HTTP/1.1')).toHaveLength(2);
  });

  it.each([
    [
      'headers beyond read-buffer-size and 4 KiB',
      `GET / HTTP/1.1\r\nx: ${'a'.repeat(9000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    ['what is no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 Bad Request'],
    ['an invalid escape', 'GET /a%zz HTTP/1.1\r\nhost: x\r\n\r\n', '400 Bad Request'],
  ])('refuse %s as Go does', async (_name, text, status) => {
    connection.send(text);
    await connection.receives(`HTTP/1.1 ${status}\r\n`);
    await eventually(() => {
      expect(connection.closed).toBe(true);
    });
    expect(connection.received.endsWith(status)).toBe(true);
  });

  const BODY = '1\r\nx\r\n0\r\n\r\n';
  it.each([
    ['gzip before chunked', 'transfer-encoding: gzip, chunked'],
    ['identity before chunked', 'transfer-encoding: identity, chunked'],
    ['identity', 'transfer-encoding: identity'],
    ['gzip', 'transfer-encoding: gzip'],
    ['a parameter', 'transfer-encoding: chunked;q=1'],
    ['an unknown one', 'transfer-encoding: xchunked'],
    ['none', 'transfer-encoding:'],
    ['two of them', 'transfer-encoding: identity\r\ntransfer-encoding: chunked'],
    ['none before chunked', 'transfer-encoding:\r\ntransfer-encoding: chunked'],
    ['chunked before gzip', 'transfer-encoding: chunked, gzip'],
    ['chunked twice', 'transfer-encoding: chunked, chunked'],
    ['chunked and nothing more', 'transfer-encoding: chunked,'],
  ])('refuse a transfer encoding that Go does not take, and once: %s', async (_name, header) => {
    connection.send(`POST /nope HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n${BODY}`);
    await connection.receives('HTTP/1.1 501 Not Implemented\r\n');
    await eventually(() => {
      expect(connection.closed).toBe(true);
    });
    expect(connection.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(connection.received.endsWith('Unsupported transfer encoding')).toBe(true);
  });

  it.each([
    ['chunked before HTTP/1.1', 'POST / HTTP/1.0', 'transfer-encoding: chunked', '400'],
    [
      'a length beside chunked',
      'POST / HTTP/1.1',
      'host: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked',
      '400',
    ],
    ['two hosts', 'GET / HTTP/1.1', 'host: x\r\nHost: y', '400'],
    ['HTTP/2 in a request line', 'GET / HTTP/2.0', 'host: x', '505'],
    ['a folded header', 'GET / HTTP/1.1', 'host: x\r\na: b\r\n c', '400'],
    ['a bare line feed', 'GET / HTTP/1.1', 'host: x\na: b', '400'],
  ])('refuse %s, and once', async (_name, line, headers, status) => {
    connection.send(`${line}\r\n${headers}\r\n\r\n${BODY}`);
    await connection.receives(`HTTP/1.1 ${status} `);
    await eventually(() => {
      expect(connection.closed).toBe(true);
    });
    expect(connection.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it.each(['chunked', 'CHUNKED', '\tChunked '])(
    'take the transfer encoding "%s"',
    async (coding) => {
      connection.send(
        `POST /nope HTTP/1.1\r\nhost: x\r\ntransfer-encoding: ${coding}\r\n\r\n${BODY}`,
      );
      await connection.receives(NOT_ROUTED);
    },
  );

  it('are closed after a last answer though the client keeps its side open', async () => {
    connection.keepOpen().send('hello\r\n\r\n');
    await connection.receives('400 Bad Request');
    await eventually(() => {
      expect(connection.isReset()).toBe(true);
    });
  });

  it('take headers just below the limit', async () => {
    connection.send(`GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(8000)}\r\n\r\n`);
    await connection.receives('204 No Content');
  });

  it('ignore an upgrade to HTTP/2', async () => {
    connection.send(
      'GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
    );
    await connection.receives('204 No Content');
  });

  it('take a request in absolute form', async () => {
    connection.send('GET http://x/v1.0/healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.receives('204 No Content');
  });
});
