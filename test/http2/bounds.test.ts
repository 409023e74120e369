import { encodeFields } from '../../src/http2/hpack-encoder';
import { CODE, FLAG, FRAME, SETTING } from '../../src/http2/protocol';
import { frame, preface } from '../hostile/http2-frames';
import {
  acknowledge,
  begin,
  data,
  GET,
  headers,
  ping,
  priority,
  reset,
  settings,
  windowUpdate,
} from './client-frames';
import { Machine, OK } from './machine';

const open = (...args: ConstructorParameters<typeof Machine>) => {
  const machine = new Machine(...args).receive(preface()).receive(acknowledge());
  machine.takeFrames();
  return machine;
};

/** Odd numbers from 1: the ids of a client's streams. */
const ids = (count: number) => Array.from({ length: count }, (_, index) => 2 * index + 1);

const resetsOf = (machine: Machine) =>
  machine.takeFrames().filter(({ type }) => type === FRAME.reset);

describe('what costs no honest client its connection', () => {
  it('is to reset any number of open streams within a second', () => {
    const machine = open({ controlFrames: 100, maxStreams: 1000 });
    machine.receive(Buffer.concat(ids(500).map((id) => begin(id))));
    machine.receive(Buffer.concat(ids(500).map((id) => reset(id))));
    expect(machine.error).toBeUndefined();
  });

  it('is to open both windows, and to measure the time, for each answer', () => {
    const machine = open({ controlFrames: 100 }, (stream) => {
      stream.respond(OK, { isEnd: false });
      stream.write(Buffer.from('answer'));
      stream.end(OK);
    });
    for (const id of ids(500)) {
      machine.receive(
        Buffer.concat([headers(id, GET), windowUpdate(0, 6), windowUpdate(id, 6), ping()]),
      );
    }
    expect(machine.error).toBeUndefined();
  });

  it('is to have sent content of more calls than are remembered, which were answered early', () => {
    const machine = open({ hastyResets: 100, maxStreams: 1000 });
    machine.receive(Buffer.concat(ids(500).map((id) => begin(id))));
    for (const stream of machine.streams.values()) stream.respond(OK, { isEnd: true });
    machine.takeFrames();
    machine.receive(Buffer.concat(ids(500).map((id) => data(id, 'x'))));
    expect(machine.error).toBeUndefined();
    expect(machine.connection.streamCount).toBe(0);
  });

  it('is to go on with streams that a shutdown has left out (6.8)', () => {
    const machine = open({ hastyResets: 10 }).receive(begin(1));
    machine.connection.refuseStreams();
    const late = ids(500).slice(1);
    machine.receive(Buffer.concat(late.map((id) => Buffer.concat([begin(id), data(id, 'x')]))));
    expect(resetsOf(machine)).toEqual([]);
    expect(machine.error).toBeUndefined();
    machine.receive(data(1, 'x'));
    expect(machine.events.at(-1)).toBe('1 data 78');
  });

  it('is to send what opens the window of the connection on such streams', () => {
    const machine = open({ connectionWindowBytes: 65_535 }).receive(begin(1));
    machine.connection.refuseStreams();
    const block = data(3, Buffer.alloc(16_384));
    machine.receive(begin(3));
    machine.receive(Buffer.concat(Array.from({ length: 20 }, () => block)));
    expect(machine.error).toBeUndefined();
  });
});

describe('what ends a connection', () => {
  const times = (count: number, bytes: Buffer) => Array.from({ length: count }, () => bytes);

  it.each([
    ['padding without content', data(1, Buffer.from([3, 0, 0, 0]), FLAG.padded)],
    ['RST_STREAM of a closed stream', reset(3)],
    ['SETTINGS', settings(SETTING.initialWindowSize, 1)],
  ])('is a flood of %s', (_what, sent) => {
    const machine = open({ controlFrames: 100 });
    machine.receive(Buffer.concat([begin(1), begin(3), reset(3)]));
    machine.receive(Buffer.concat(times(150, sent)));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it('are SETTINGS sooner than others, because they may change all windows', () => {
    const machine = open({ controlFrames: 1000 });
    machine.receive(Buffer.concat(times(21, settings(SETTING.initialWindowSize, 1))));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it('are requests without end after a shutdown', () => {
    const machine = open({ controlFrames: 100 }).receive(begin(1));
    machine.connection.refuseStreams();
    machine.receive(Buffer.concat(ids(150).map((id) => headers(id + 2, GET))));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it('is not saved by answers that come before the flood', () => {
    const machine = open({ controlFrames: 100 }, (stream) => {
      stream.respond(OK, { isEnd: true });
    });
    machine.receive(Buffer.concat(ids(500).map((id) => headers(id, GET))));
    machine.receive(Buffer.concat(times(101, ping())));
    expect(machine.error).toMatchObject({ code: CODE.enhanceYourCalm });
  });

  it.each([
    ['a wrong length', frame(FRAME.priority, 7), CODE.frameSizeError],
    ['itself as what it depends on', priority(7, 7), CODE.protocolError],
  ])(
    'is PRIORITY of an idle stream with %s, which has no RST_STREAM (6.4)',
    (_what, sent, code) => {
      const machine = open().receive(sent);
      expect(machine.error).toMatchObject({ code });
      expect(resetsOf(machine)).toEqual([]);
    },
  );

  it('is a fault of whoever answers, which is told and not thrown', () => {
    const fault = new Error('a fault');
    const machine = open({}, () => {
      throw fault;
    });
    machine.receive(begin(1));
    expect(machine.error).toMatchObject({ code: CODE.internalError, cause: fault });
    expect(machine.connection.streamCount).toBe(0);
  });
});

describe('the end of a stream', () => {
  it('is told also where it comes before anybody listens', () => {
    const machine: Machine = open({}, () => {
      machine.connection.lose();
    });
    machine.receive(begin(1));
    expect(machine.events.slice(1)).toEqual(['over ', '1 closed 8']);
  });

  it('comes last, also where it comes while content is read', () => {
    const machine = open({}, (stream) => {
      stream.respond(OK, { isEnd: false });
    });
    machine.receive(begin(1));
    machine.onData = () => {
      machine.streams.get(1)!.reset(CODE.cancel);
    };
    machine.receive(data(1, 'x', FLAG.endStream));
    expect(machine.events.slice(-2)).toEqual(['1 data 78', '1 closed 8']);
  });
});

describe('HPACK', () => {
  const block = (...octets: number[]) =>
    frame(FRAME.headers, 1, {
      flags: FLAG.endHeaders | FLAG.endStream,
      payload: Buffer.from(octets),
    });

  it.each([
    ['an index of 0 (6.1)', [0x80]],
    ['an index that nothing has (2.3.3)', [0xbe]],
    ['an integer beyond 32 bits (5.1)', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['an integer of zeros without end (5.1)', [0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['an integer that ends within (5.1)', [0xff, 0x80]],
    ['a string beyond the block (5.2)', [0x00, 0x7f, 0x00, 0x61]],
    ['a table above the setting (6.3)', [0x3f, 0xe2, 0x1f]],
    ['a size after a field (4.2)', [0x82, 0x20]],
    ['Huffman padding of zeros (5.2)', [0x00, 0x81, 0x00, 0x00]],
    ['Huffman padding of eight bits (5.2)', [0x00, 0x82, 0x1f, 0xff, 0x00]],
    ['the end of a string in Huffman code (5.2)', [0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]],
    ['a field without its value', [0x00, 0x01, 0x61]],
  ])('ends the connection for %s', (_what, octets) => {
    const machine = open().receive(block(...octets));
    expect(machine.error).toMatchObject({ code: CODE.compressionError });
  });

  it('takes the largest table, and sizes that change twice (4.2)', () => {
    const sizes = Buffer.from([0x20, 0x3f, 0xe1, 0x1f]);
    const payload = Buffer.concat([sizes, encodeFields(GET)]);
    const machine = open().receive(
      frame(FRAME.headers, 1, { flags: FLAG.endHeaders | FLAG.endStream, payload }),
    );
    expect(machine.events.at(-1)).toBe('1 ended ');
  });

  it('bounds a list of many references to one long field (10.5.1)', () => {
    const long = Buffer.concat([
      Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x1e]),
      Buffer.alloc(4000, 'x'),
    ]);
    const payload = Buffer.concat([encodeFields(GET), long, Buffer.alloc(12_000, 0xbe)]);
    const machine = open().receive(
      frame(FRAME.headers, 1, { flags: FLAG.endHeaders | FLAG.endStream, payload }),
    );
    expect(machine.events).toEqual([]);
    expect(resetsOf(machine)).toMatchObject([{ streamId: 1 }]);
    machine.receive(headers(3, GET));
    expect(machine.events.at(-1)).toBe('3 ended ');
  });
});
