import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '../support/eventually';
import { echo, RawUpstream, type ReceivedCall } from '../support/raw-upstream';
import { PassingFixture, STATE } from './passing-fixture';
import { frame } from './raw-http2';

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants;

/** More than the windows and buffers between a client and the upstream. */
const LONG = Buffer.alloc(300_000);

type Answer = (call: ReceivedCall) => void;

const later = (act: () => void) => setTimeout(act, 10);

const answerWith = ({ stream }: ReceivedCall, content = frame('x')) => {
  stream.respond(GRPC, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' });
  });
  stream.write(content);
};

const reset =
  (code: number): Answer =>
  ({ stream }) => {
    stream.close(code);
  };

const resetWithin =
  (code: number): Answer =>
  (call) => {
    answerWith(call, LONG);
    later(() => {
      call.stream.close(code);
      // Otherwise node:http2 keeps what it could not send, and refuses new calls in the end.
      setImmediate(() => call.stream.destroy());
    });
  };

/** The behaviour of the upstream for a call. */
const UPSTREAM: Readonly<Record<string, Answer>> = {
  'echoes it': echo,
  'never answers': () => undefined,
  'answers with headers alone': ({ stream }) => {
    stream.respond({ ...GRPC, 'grpc-status': '5' }, { endStream: true });
  },
  'answers without reading': (call) => {
    answerWith(call);
    call.stream.end();
  },
  'answers at length without reading': (call) => {
    answerWith(call, LONG);
    call.stream.end();
  },
  'answers with more than a window without reading': (call) => {
    answerWith(call, Buffer.alloc(75_000));
    call.stream.end();
  },
  'begins an answer and never ends it': (call) => {
    answerWith(call);
  },
  'answers without trailers': ({ stream }) => {
    stream.respond(GRPC);
    stream.end(frame('x'));
  },
  'resets it (NO_ERROR)': reset(NGHTTP2_NO_ERROR),
  'resets it (CANCEL)': reset(NGHTTP2_CANCEL),
  'resets it (REFUSED_STREAM)': reset(NGHTTP2_REFUSED_STREAM),
  'resets it within its answer (NO_ERROR)': resetWithin(NGHTTP2_NO_ERROR),
  'resets it within its answer (INTERNAL_ERROR)': resetWithin(NGHTTP2_INTERNAL_ERROR),
  'goes away before its answer': ({ stream }) => {
    later(() => stream.session?.goaway(NGHTTP2_NO_ERROR, 0));
  },
  'goes away within its answer': (call) => {
    answerWith(call);
    later(() => call.stream.session?.goaway(NGHTTP2_NO_ERROR, 0));
  },
  'goes away with an error': (call) => {
    answerWith(call);
    later(() => call.stream.session?.goaway(NGHTTP2_INTERNAL_ERROR));
  },
  'is lost before its answer': ({ stream }) => {
    later(() => stream.session?.destroy());
  },
  'is lost within its answer': (call) => {
    answerWith(call, LONG);
    later(() => call.stream.session?.destroy());
  },
};

type Use = (
  stream: ClientHttp2Stream,
  session: ClientHttp2Session,
) => Promise<unknown> | ClientHttp2Stream | boolean;

/** The behaviour of clients, each on a connection of its own. */
const CLIENTS: readonly Use[] = [
  // It ends the call and reads the answer, or does not read it.
  (stream) => stream.resume().end(frame('x')),
  (stream) => stream.end(frame('x')),
  (stream) => stream.resume().end(LONG),
  (stream) => stream.end(LONG),
  // It does not end the call.
  (stream) => stream,
  (stream) => stream.resume().write(frame('x')),
  (stream) => stream.resume().write(LONG),
  (stream) => stream.write(LONG),
  // It cancels the call: at once, later, when the answer begins, or without an error.
  async (stream) => {
    stream.close(NGHTTP2_CANCEL);
  },
  async (stream) => {
    stream.resume().write(LONG);
    await pause(20);
    stream.close(NGHTTP2_CANCEL);
  },
  async (stream) => {
    stream.end(LONG);
    await Promise.race([once(stream, 'response'), once(stream, 'close'), pause(50)]).catch(
      () => undefined,
    );
    stream.close(NGHTTP2_CANCEL);
  },
  async (stream) => {
    stream.write(LONG);
    await pause(20);
    stream.close(NGHTTP2_NO_ERROR);
  },
  async (stream) => {
    stream.write(frame('x'));
    await pause(50);
    stream.end().close(NGHTTP2_NO_ERROR);
  },
  // Its connection is lost.
  async (stream, session) => {
    stream.end(frame('x'));
    await pause(0);
    session.destroy();
  },
  async (stream, session) => {
    stream.resume().write(LONG);
    await pause(20);
    session.destroy();
  },
];

describe('a passed gRPC call is over, whatever its clients do with it, where the upstream', () => {
  const passing = new PassingFixture();
  beforeEach(async () => {
    passing.behind = await new RawUpstream(echo, { maxStreams: 8 }).start();
    await passing.start();
  });
  afterEach(() => passing.stop());

  const begin = () => {
    const session = connect(`http://127.0.0.1:${passing.grpc.port}`);
    session.on('error', () => undefined);
    const headers = { 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ':method': 'POST', ':path': STATE, ...headers });
    stream.on('error', () => undefined);
    return { session, stream };
  };

  it.each(Object.entries(UPSTREAM))('%s', async (_what, answer) => {
    passing.behind.answer = answer;
    const calls = CLIENTS.map((use) => ({ use, ...begin() }));
    await Promise.all(calls.map(async ({ use, stream, session }) => use(stream, session)));
    await eventually(() => {
      const open = calls.filter(({ stream }) => !stream.destroyed);
      expect(passing.upstream.calls.inFlight).toBeLessThanOrEqual(open.length);
    });
    for (const { session } of calls) session.destroy();
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
    await expectAllRoom();
  });

  /** Every connection to the upstream takes as many streams as before. A call may be refused, and waits for none. */
  async function expectAllRoom() {
    const arrived = new Set<unknown>();
    passing.behind.answer = ({ headers }) => arrived.add(headers['x-room'] ?? '0');
    const hold = (room: string) => {
      if (passing.session.destroyed || arrived.has(room)) return;
      passing.open({ 'x-room': room }).once('close', () => {
        hold(room);
      });
    };
    for (let number = 0; number < 16 * 8; number += 1) hold(String(number));
    await eventually(() => {
      expect(arrived.size).toBe(16 * 8);
    });
  }
});
