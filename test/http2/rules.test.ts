import { CODE, FLAG, FRAME, MOST_31_BITS, SETTING } from '../../src/http2/protocol';
import { frame, preface } from '../hostile/http2-frames';
import {
  begin,
  data,
  GET,
  headers,
  POST,
  priority,
  reset,
  settings,
  windowUpdate,
} from './client-frames';
import { Machine, OK } from './machine';

/** Input that ends the connection, and the code of its GOAWAY. */
const CONNECTION_ERRORS = [
  {
    section: '4.2',
    what: 'a frame that is too long',
    bytes: [data(1, Buffer.alloc(16_385))],
    code: CODE.frameSizeError,
  },
  {
    section: '4.3',
    what: 'another frame within a header block',
    bytes: [headers(1, GET, 0), frame(FRAME.ping, 0, { payload: Buffer.alloc(8) })],
    code: CODE.protocolError,
  },
  {
    section: '5.1',
    what: 'DATA on an idle stream',
    bytes: [data(1, 'x')],
    code: CODE.protocolError,
  },
  {
    section: '5.1',
    what: 'RST_STREAM on an idle stream',
    bytes: [reset(1)],
    code: CODE.protocolError,
  },
  {
    section: '5.1',
    what: 'WINDOW_UPDATE on an idle stream',
    bytes: [windowUpdate(1, 1)],
    code: CODE.protocolError,
  },
  {
    section: '5.1',
    what: 'HEADERS on a stream that the client has reset',
    bytes: [begin(1), reset(1), headers(1, GET)],
    code: CODE.streamClosed,
  },
  {
    section: '5.1.1',
    what: 'a stream with an even id',
    bytes: [headers(2, GET)],
    code: CODE.protocolError,
  },
  {
    section: '5.1.1',
    what: 'a stream below the last one',
    bytes: [headers(5, GET), headers(3, GET)],
    code: CODE.streamClosed,
  },
  { section: '6.1', what: 'DATA on stream 0', bytes: [data(0, 'x')], code: CODE.protocolError },
  {
    section: '6.1',
    what: 'more padding than content',
    bytes: [begin(1), data(1, Buffer.from([5, 0]), FLAG.padded)],
    code: CODE.protocolError,
  },
  {
    section: '6.2',
    what: 'HEADERS without room for their priority',
    bytes: [frame(FRAME.headers, 1, { flags: FLAG.endHeaders | FLAG.priority })],
    code: CODE.frameSizeError,
  },
  {
    section: '6.3',
    what: 'PRIORITY on stream 0',
    bytes: [priority(0, 1)],
    code: CODE.protocolError,
  },
  {
    section: '6.4',
    what: 'RST_STREAM of another length',
    bytes: [begin(1), frame(FRAME.reset, 1)],
    code: CODE.frameSizeError,
  },
  {
    section: '6.5',
    what: 'SETTINGS on a stream',
    bytes: [frame(FRAME.settings, 1)],
    code: CODE.protocolError,
  },
  {
    section: '6.5',
    what: 'SETTINGS of another length',
    bytes: [frame(FRAME.settings, 0, { payload: Buffer.alloc(5) })],
    code: CODE.frameSizeError,
  },
  {
    section: '6.5',
    what: 'an acknowledgement with content',
    bytes: [frame(FRAME.settings, 0, { flags: FLAG.ack, payload: Buffer.alloc(6) })],
    code: CODE.frameSizeError,
  },
  {
    section: '6.5.2',
    what: 'ENABLE_PUSH of 2',
    bytes: [settings(SETTING.enablePush, 2)],
    code: CODE.protocolError,
  },
  {
    section: '6.5.2',
    what: 'a window of 2^31',
    bytes: [settings(SETTING.initialWindowSize, 2 ** 31)],
    code: CODE.flowControlError,
  },
  {
    section: '6.5.2',
    what: 'frames that are too short',
    bytes: [settings(SETTING.maxFrameSize, 16_383)],
    code: CODE.protocolError,
  },
  {
    section: '6.5.2',
    what: 'frames that are too long',
    bytes: [settings(SETTING.maxFrameSize, 2 ** 24)],
    code: CODE.protocolError,
  },
  {
    section: '6.7',
    what: 'PING on a stream',
    bytes: [frame(FRAME.ping, 1, { payload: Buffer.alloc(8) })],
    code: CODE.protocolError,
  },
  {
    section: '6.7',
    what: 'PING of another length',
    bytes: [frame(FRAME.ping, 0)],
    code: CODE.frameSizeError,
  },
  {
    section: '6.8',
    what: 'GOAWAY on a stream',
    bytes: [frame(FRAME.goaway, 1, { payload: Buffer.alloc(8) })],
    code: CODE.protocolError,
  },
  {
    section: '6.9',
    what: 'WINDOW_UPDATE by 0',
    bytes: [windowUpdate(0, 0)],
    code: CODE.protocolError,
  },
  {
    section: '6.9',
    what: 'WINDOW_UPDATE of another length',
    bytes: [frame(FRAME.windowUpdate, 0)],
    code: CODE.frameSizeError,
  },
  {
    section: '6.9.1',
    what: 'a window of the connection that is too large',
    bytes: [windowUpdate(0, MOST_31_BITS)],
    code: CODE.flowControlError,
  },
  {
    section: '6.9.2',
    what: 'SETTINGS that make a window too large',
    bytes: [begin(1), windowUpdate(1, 2 ** 30), settings(SETTING.initialWindowSize, MOST_31_BITS)],
    code: CODE.flowControlError,
  },
  {
    section: '6.10',
    what: 'CONTINUATION without HEADERS',
    bytes: [frame(FRAME.continuation, 1)],
    code: CODE.protocolError,
  },
  {
    section: '8.4',
    what: 'PUSH_PROMISE',
    bytes: [frame(FRAME.pushPromise, 1)],
    code: CODE.protocolError,
  },
] as const;

/** Input that ends stream 1 alone, and the code of its RST_STREAM. */
const STREAM_ERRORS = [
  {
    section: '5.1',
    what: 'DATA after the end of the request',
    bytes: [headers(1, POST), data(1, 'x')],
    code: CODE.streamClosed,
  },
  {
    section: '5.1',
    what: 'HEADERS after the end of the request',
    bytes: [headers(1, POST), headers(1, ['a', 'b'])],
    code: CODE.streamClosed,
  },
  {
    section: '5.1',
    what: 'DATA after RST_STREAM',
    bytes: [begin(1), reset(1), data(1, 'x')],
    code: CODE.streamClosed,
  },
  {
    section: '6.3',
    what: 'PRIORITY of another length',
    bytes: [begin(1), frame(FRAME.priority, 1)],
    code: CODE.frameSizeError,
  },
  {
    section: '6.9',
    what: 'WINDOW_UPDATE by 0',
    bytes: [begin(1), windowUpdate(1, 0)],
    code: CODE.protocolError,
  },
  {
    section: '6.9.1',
    what: 'a window that is too large',
    bytes: [begin(1), windowUpdate(1, MOST_31_BITS)],
    code: CODE.flowControlError,
  },
  {
    section: '8.1',
    what: 'trailers that do not end the request',
    bytes: [begin(1), begin(1, ['a', 'b'])],
    code: CODE.protocolError,
  },
  {
    section: '8.1.1',
    what: 'less content than announced',
    bytes: [begin(1, [...POST, 'content-length', '2']), data(1, 'x', FLAG.endStream)],
    code: CODE.protocolError,
  },
  {
    section: '8.1.1',
    what: 'more content than announced',
    bytes: [begin(1, [...POST, 'content-length', '2']), data(1, 'xyz')],
    code: CODE.protocolError,
  },
  {
    section: '8.1.1',
    what: 'a length that is no number',
    bytes: [begin(1, [...POST, 'content-length', '-1'])],
    code: CODE.protocolError,
  },
  {
    section: '8.3',
    what: 'pseudo-header fields in trailers',
    bytes: [begin(1), headers(1, [':path', '/'])],
    code: CODE.protocolError,
  },
] as const;

/** Malformed requests (RFC 9113, 8.1.1): the fields of each. */
const MALFORMED = [
  { section: '8.2.1', what: 'a name in capital letters', fields: [...GET, 'X-A', 'b'] },
  { section: '8.2.1', what: 'a name with a space', fields: [...GET, 'x a', 'b'] },
  { section: '8.2.1', what: 'an empty name', fields: [...GET, '', 'b'] },
  { section: '8.2.1', what: 'a line feed in a value', fields: [...GET, 'a', 'b\nc: d'] },
  { section: '8.2.1', what: 'a NUL in a value', fields: [...GET, 'a', 'b\0'] },
  { section: '8.2.1', what: 'a value that begins with a space', fields: [...GET, 'a', ' b'] },
  { section: '8.2.1', what: 'a value that ends with a tab', fields: [...GET, 'a', 'b\t'] },
  { section: '8.2.2', what: 'a field of the connection', fields: [...GET, 'connection', 'close'] },
  { section: '8.2.2', what: 'a transfer coding', fields: [...GET, 'transfer-encoding', 'chunked'] },
  { section: '8.2.2', what: 'a te that is not trailers', fields: [...GET, 'te', 'gzip'] },
  { section: '8.3', what: 'a pseudo-header field after others', fields: ['a', 'b', ...GET] },
  { section: '8.3', what: 'an unknown pseudo-header field', fields: [...GET, ':protocol', 'x'] },
  {
    section: '8.3',
    what: 'a pseudo-header field of responses',
    fields: [...GET, ':status', '200'],
  },
  { section: '8.3.1', what: 'two methods', fields: [':method', 'GET', ...GET] },
  { section: '8.3.1', what: 'no method', fields: GET.slice(2) },
  { section: '8.3.1', what: 'no scheme', fields: [...GET.slice(0, 2), ...GET.slice(4)] },
  { section: '8.3.1', what: 'no path', fields: GET.slice(0, 4) },
  { section: '8.3.1', what: 'an empty path', fields: [...GET.slice(0, 4), ':path', ''] },
  {
    section: '8.5',
    what: 'CONNECT with a path',
    fields: [':method', 'CONNECT', ':authority', 'a', ':path', '/'],
  },
];

const open = (...args: ConstructorParameters<typeof Machine>) =>
  new Machine(...args).receive(preface());

/** The code in the GOAWAY that was sent, and that of the first RST_STREAM. */
function codesOf(machine: Machine): { goaway: number | undefined; reset: number | undefined } {
  const frames = machine.takeFrames();
  const of = (type: number, at: number) =>
    frames.find((sent) => sent.type === type)?.payload.readUInt32BE(at);
  return { goaway: of(FRAME.goaway, 4), reset: of(FRAME.reset, 0) };
}

describe('the rules of HTTP/2', () => {
  it.each(CONNECTION_ERRORS)('end the connection for $what ($section)', ({ bytes, code }) => {
    const machine = open().receive(Buffer.concat(bytes));
    expect(machine.error).toMatchObject({ code });
    expect(codesOf(machine).goaway).toBe(code);
    expect(machine.connection.streamCount).toBe(0);
  });

  it.each(STREAM_ERRORS)('end the stream for $what ($section)', ({ bytes, code }) => {
    const machine = open().receive(Buffer.concat(bytes));
    expect(codesOf(machine)).toEqual({ goaway: undefined, reset: code });
    machine.receive(headers(3, GET));
    expect(machine.events.at(-1)).toBe('3 ended ');
  });

  it.each(MALFORMED)('refuse a request with $what ($section)', ({ fields }) => {
    const machine = open().receive(headers(1, fields));
    expect(codesOf(machine)).toEqual({ goaway: undefined, reset: CODE.protocolError });
    expect(machine.events).toEqual([]);
  });

  it('end a connection that does not begin with the preface (3.4)', () => {
    const machine = new Machine().receive(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    expect(machine.error).toMatchObject({ code: CODE.protocolError });
  });

  it('end a connection whose first frame is not SETTINGS (3.4)', () => {
    const [start] = [preface().subarray(0, 24)];
    const machine = new Machine().receive(Buffer.concat([start, headers(1, GET)]));
    expect(machine.error).toMatchObject({ code: CODE.protocolError });
  });

  it('ignore frames of unknown types, and priorities (5.3.2, 5.5)', () => {
    const machine = open().receive(Buffer.concat([frame(99, 7), priority(1, 3), headers(1, GET)]));
    expect(machine.events.at(-1)).toBe('1 ended ');
  });

  it('ignore frames for a stream that was reset here (5.1)', () => {
    const machine = open().receive(begin(1));
    machine.streams.get(1)!.reset(CODE.cancel);
    machine.receive(Buffer.concat([data(1, 'x'), headers(1, ['a', 'b'])]));
    expect(codesOf(machine)).toEqual({ goaway: undefined, reset: CODE.cancel });
  });

  it('tell a client whose request is answered early to stop (8.1)', () => {
    const machine = open({}, (stream) => {
      stream.respond(OK, { isEnd: true });
    });
    machine.receive(begin(1));
    expect(codesOf(machine).reset).toBe(CODE.noError);
    expect(machine.events.at(-1)).toBe('1 closed 0');
  });

  it('tell nothing to a client whose request ends in the same turn (8.1)', () => {
    const machine = open({}, (stream) => {
      stream.respond(OK, { isEnd: true });
    });
    machine.receive(begin(1)).receive(data(1, 'x', FLAG.endStream));
    expect(codesOf(machine).reset).toBeUndefined();
  });

  it('answer SETTINGS and PING (6.5.3, 6.7)', () => {
    const machine = open();
    machine.takeFrames();
    machine.receive(
      Buffer.concat([
        frame(FRAME.settings, 0),
        frame(FRAME.ping, 0, { payload: Buffer.from('12345678') }),
      ]),
    );
    expect(machine.takeFrames()).toMatchObject([
      { type: FRAME.settings, flags: FLAG.ack },
      { type: FRAME.ping, flags: FLAG.ack, payload: Buffer.from('12345678') },
    ]);
  });
});
