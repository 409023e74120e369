import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';

import fc from 'fast-check';

import { TextServer } from './text-server';

const SHORT = { numRuns: 50 };

/** Fields that node:http2 sends as they are. */
const FIELDS = fc.dictionary(
  fc.stringMatching(/^x-[a-z0-9-]{1,12}$/),
  fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/),
  { maxKeys: 12 },
);

describe('a client of node:http2', () => {
  let server: TextServer;
  let session: ClientHttp2Session;

  beforeEach(async () => {
    server = new TextServer();
    session = connect(`http://127.0.0.1:${await server.start()}`);
    session.on('error', () => undefined);
  });
  afterEach(async () => {
    session.destroy();
    await server.stop();
  });

  const send = async (fields: Record<string, string>, content: Buffer) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...fields });
    const parts: Buffer[] = [];
    let trailers: object = {};
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('trailers', (received: object) => {
      trailers = received;
    });
    // A busy machine may emit both before whoever waited for the first goes on.
    const closed = once(stream, 'close');
    stream.end(content);
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    await closed;
    return { head, trailers, content: Buffer.concat(parts) };
  };

  it('gets its fields and its content back, whatever its encoder makes of them', async () => {
    await fc.assert(
      fc.asyncProperty(FIELDS, fc.uint8Array({ maxLength: 300 }), async (fields, bytes) => {
        const answer = await send({ ...fields, 'x-echo': 'yes' }, Buffer.from(bytes));
        expect(answer.content).toEqual(Buffer.from(bytes));
        expect(answer.trailers).toMatchObject(fields);
      }),
      SHORT,
    );
  });

  it.each([0, 1, 16_384, 65_535, 65_536, 3_000_000])('sends and gets %d bytes', async (length) => {
    const content = Buffer.alloc(length, 'abc');
    expect((await send({}, content)).content.equals(content)).toBe(true);
  });

  it('has a thousand streams at a time', async () => {
    const all = Array.from({ length: 1000 }, (_, index) => send({}, Buffer.from(String(index))));
    const answers = await Promise.all(all);
    expect(answers.map(({ content }) => Number(content))).toEqual([...answers.keys()]);
  });

  it('ends in peace after a shutdown, with the streams that it had', async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    await once(stream, 'response');
    const [connection] = server.connections;
    const closed = Promise.all([once(stream, 'close'), once(session, 'close')]);
    const told = once(session, 'goaway');
    connection!.protocol.shutDown();
    await told;
    stream.resume();
    stream.end('x');
    await closed;
    expect(stream.rstCode).toBe(0);
  });

  it('loses its connection where it does not read the answers that it asks for', async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.pause();
    // With more than 10 MB to write, node:http2 has no memory for the fields of an answer: it resets the stream.
    await once(stream, 'response');
    const [connection] = server.connections;
    const closed = once(session, 'close').catch(() => undefined);
    session.setLocalWindowSize(2 ** 30);
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(20_000_000));
    await closed;
    expect(connection!.protocol.isClosed).toBe(true);
  });
});
