import { CODE, FLAG, FRAME, SETTING } from '../../src/http2/protocol';
import { frame, preface } from '../hostile/http2-frames';
import {
  acknowledge,
  begin,
  data,
  GET,
  headers,
  ping,
  POST,
  reset,
  settings,
  windowUpdate,
} from './client-frames';
import { Machine, OK, type SentFrame } from './machine';

const open = (...args: ConstructorParameters<typeof Machine>) => {
  const machine = new Machine(...args).receive(preface()).receive(acknowledge());
  machine.takeFrames();
  return machine;
};

const lengthsOf = (frames: readonly SentFrame[], stream: number) =>
  frames
    .filter(({ type, streamId }) => type === FRAME.data && streamId === stream)
    .map(({ payload }) => payload.length);

const codeOf = (frames: readonly SentFrame[], type: number) =>
  frames.find((sent) => sent.type === type)?.payload.readUInt32BE(type === FRAME.goaway ? 4 : 0);

describe('flow control of answers', () => {
  it('sends no more than the window, and the rest once it opens (6.9.1)', () => {
    const machine = open();
    machine.receive(settings(SETTING.initialWindowSize, 10)).receive(headers(1, GET));
    const stream = machine.streams.get(1)!;
    stream.respond(OK, { isEnd: false });
    expect(stream.write(Buffer.alloc(25))).toBe(false);
    stream.end();
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([10]);
    machine.receive(windowUpdate(1, 5));
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([5]);
    machine.receive(windowUpdate(1, 100));
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([10, 0]);
    expect(machine.events.at(-1)).toBe('1 closed 0');
  });

  it('keeps a window that settings made negative (6.9.2)', () => {
    const machine = open().receive(headers(1, GET));
    const stream = machine.streams.get(1)!;
    stream.write(Buffer.alloc(1000));
    machine.receive(settings(SETTING.initialWindowSize, 500));
    stream.write(Buffer.alloc(10));
    machine.receive(windowUpdate(1, 500));
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([1000]);
    machine.receive(windowUpdate(1, 1));
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([1]);
  });

  it('shares the window of the connection, a frame each in turn', () => {
    const machine = open().receive(settings(SETTING.initialWindowSize, 1_000_000));
    machine.receive(Buffer.concat([headers(1, GET), headers(3, GET)]));
    machine.streams.get(1)!.write(Buffer.alloc(65_535));
    for (const id of [1, 3]) machine.streams.get(id)!.write(Buffer.alloc(40_000));
    machine.takeFrames();
    machine.receive(windowUpdate(0, 3 * 16_384));
    const frames = machine.takeFrames();
    expect([lengthsOf(frames, 1), lengthsOf(frames, 3)]).toEqual([[16_384, 16_384], [16_384]]);
  });

  it('tells when there is room again', () => {
    const machine = open().receive(settings(SETTING.initialWindowSize, 1));
    machine.receive(headers(1, GET));
    machine.streams.get(1)!.write(Buffer.alloc(2));
    machine.receive(windowUpdate(1, 1));
    expect(machine.events.at(-1)).toBe('1 drained');
  });

  it('sends nothing while the socket takes nothing', () => {
    const machine = open().receive(headers(1, GET));
    machine.connection.holdContent(true);
    expect(machine.streams.get(1)!.write(Buffer.alloc(2))).toBe(false);
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([]);
    machine.connection.holdContent(false);
    expect(lengthsOf(machine.takeFrames(), 1)).toEqual([2]);
  });

  it('splits a long header block into frames (6.10)', () => {
    const machine = open().receive(headers(1, GET));
    machine.streams.get(1)!.respond(Buffer.alloc(20_000, 0x82), { isEnd: true });
    expect(machine.takeFrames()).toMatchObject([
      { type: FRAME.headers, flags: FLAG.endStream },
      { type: FRAME.continuation, flags: FLAG.endHeaders },
    ]);
  });
});

describe('flow control of requests', () => {
  it('opens both windows as content is consumed', () => {
    const machine = open({ streamWindowBytes: 1000, connectionWindowBytes: 65_535 });
    machine.receive(begin(1));
    for (let count = 0; count < 40; count += 1) machine.receive(data(1, Buffer.alloc(900)));
    const updates = machine.takeFrames().filter(({ type }) => type === FRAME.windowUpdate);
    const byStream = (id: number) =>
      updates
        .filter(({ streamId }) => streamId === id)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);
    expect([byStream(1), byStream(0)]).toEqual([36_000, 32_400 + 900]);
    expect(machine.error).toBeUndefined();
  });

  it('resets a stream that sends more than its window', () => {
    const machine = open({ streamWindowBytes: 1000 }).receive(begin(1));
    machine.receive(data(1, Buffer.alloc(1001)));
    expect(codeOf(machine.takeFrames(), FRAME.reset)).toBe(CODE.flowControlError);
  });
});

describe('content that is refused', () => {
  const short = [...POST, 'content-length', '1'];
  const long = Buffer.alloc(16_384);

  it.each([
    ['more than announced', (id: number) => [begin(id, short), data(id, long)]],
    ['for a closed stream', (id: number) => [begin(id), reset(id), data(id, long)]],
    ['behind the end of the request', (id: number) => [headers(id, GET), data(id, long)]],
  ])('does not stay in the window of the connection: %s (6.9)', (_what, toFrames) => {
    const machine = open({ connectionWindowBytes: 65_535 });
    for (const id of [1, 3]) machine.receive(Buffer.concat(toFrames(id)));
    const opened = machine
      .takeFrames()
      .filter(({ type, streamId }) => type === FRAME.windowUpdate && streamId === 0);
    expect(opened.map(({ payload }) => payload.readUInt32BE())).toEqual([2 * long.length]);
  });
});

describe('the bounds of a connection', () => {
  it('refuses streams above their number (5.1.2)', () => {
    const machine = open({ maxStreams: 1 }).receive(begin(1)).receive(begin(3));
    expect(codeOf(machine.takeFrames(), FRAME.reset)).toBe(CODE.refusedStream);
    machine.receive(reset(1)).receive(begin(5));
    expect(machine.streams.has(5)).toBe(true);
  });

  it('lets a lower number of streams count once it is acknowledged', () => {
    const machine = open({ maxStreams: 2 }).receive(begin(1));
    machine.connection.setMaxStreams(1);
    machine.receive(begin(3)).receive(acknowledge()).receive(begin(5));
    expect([...machine.streams.keys()]).toEqual([1, 3]);
  });

  it('resets a request whose header list is too long, and goes on', () => {
    const machine = open({ maxHeaderListBytes: 1000 });
    machine.receive(headers(1, [...GET, 'a', 'x'.repeat(1000)])).receive(headers(3, GET));
    expect(codeOf(machine.takeFrames(), FRAME.reset)).toBe(CODE.enhanceYourCalm);
    expect([...machine.streams.keys()]).toEqual([3]);
  });

  it.each([
    ['too many CONTINUATION frames', 1, 20],
    ['too long a block', 16_384, 5],
  ])('ends with %s', (_what, bytes, count) => {
    const machine = open().receive(headers(1, GET, 0));
    for (let sent = 0; sent < count; sent += 1) {
      machine.receive(frame(FRAME.continuation, 1, { payload: Buffer.alloc(bytes, 0x82) }));
    }
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it.each([
    ['PING', ping()],
    ['empty DATA', data(1, '')],
    ['unknown frames', frame(99, 1)],
    ['WINDOW_UPDATE', windowUpdate(1, 1)],
  ])('ends with too many frames a second that carry nothing: %s', (_what, sent) => {
    const machine = open({ controlFrames: 150 }).receive(begin(1));
    machine.receive(Buffer.concat(Array.from({ length: 90 }, () => sent)));
    machine.nowMs += 1000;
    machine.receive(Buffer.concat(Array.from({ length: 90 }, () => sent)));
    expect(machine.error).toBeUndefined();
    machine.receive(Buffer.concat(Array.from({ length: 90 }, () => sent)));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it.each([
    ['resets at once', (id: number) => Buffer.concat([begin(id), reset(id)])],
    ['makes the server reset', (id: number) => Buffer.concat([begin(id), windowUpdate(id, 0)])],
  ])('ends where the client opens streams that it %s', (_what, make) => {
    const machine = open({ hastyResets: 100 });
    for (let count = 0; count < 101; count += 1) machine.receive(make(2 * count + 1));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it('is not spent by clients whose deadlines pass', () => {
    const machine = open({ hastyResets: 100, maxStreams: 1000 });
    for (let round = 0; round < 10; round += 1) {
      const ids = Array.from({ length: 500 }, (_, index) => 1000 * round + 2 * index + 1);
      machine.receive(Buffer.concat(ids.map((id) => begin(id))));
      machine.receive(Buffer.concat(ids.map((id) => reset(id))));
    }
    expect(machine.error).toBeUndefined();
  });

  it('ends where answers are not read', () => {
    const machine = open({ maxQueuedBytes: 100_000 }).receive(headers(1, GET));
    machine.streams.get(1)!.write(Buffer.alloc(165_000));
    expect(machine.error).toBeUndefined();
    machine.streams.get(1)!.write(Buffer.alloc(10_000));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });
});

describe('a shutdown', () => {
  it('still takes streams that are on their way, until the client answers (6.8)', () => {
    const machine = open().receive(begin(1));
    machine.connection.shutDown();
    machine.receive(begin(3)).receive(ping(FLAG.ack)).receive(begin(5));
    expect([...machine.streams.keys()]).toEqual([1, 3]);
    const goaways = machine.takeFrames().filter(({ type }) => type === FRAME.goaway);
    expect(goaways.map(({ payload }) => payload.readUInt32BE())).toEqual([2 ** 31 - 1, 3]);
  });

  it('ends the connection with its last stream', () => {
    const machine = open().receive(begin(1));
    machine.connection.shutDown();
    machine.receive(ping(FLAG.ack));
    expect(machine.connection.isClosed).toBe(false);
    machine.receive(reset(1));
    expect(machine.connection.isClosed).toBe(true);
    expect(machine.error).toBeUndefined();
  });

  it('ends all streams where the connection is lost', () => {
    const machine = open().receive(begin(1));
    machine.connection.lose();
    expect(machine.events.slice(-2)).toEqual(['1 closed 8', 'over ']);
  });
});
