import { connect, type Socket } from 'node:net';

import { eventually } from '../support/eventually';
import { HttpFixture, NOT_ROUTED } from './http-fixture';

/** A connection by hand, for what an HTTP client would not send. */
class RawConnection {
  readonly #socket: Socket;
  received = '';
  closed = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
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
