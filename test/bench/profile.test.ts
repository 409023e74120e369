import { toProfileTable } from '../../bench/profile';
import { ownerOf, toOwnerTimes } from '../../bench/profile-owners';

describe('the owner of a frame', () => {
  it.each([
    ['', '(garbage collector)', 'V8: garbage collection'],
    ['', '(program)', 'V8: (program), native code and the kernel'],
    ['', 'writev', 'V8: built-in functions'],
    ['', '(idle)', undefined],
    ['node:internal/http2/core', 'x', 'node: http2'],
    ['node:_http_server', 'x', 'node: http'],
    ['node:internal/stream_base_commons', 'x', 'node: net'],
    ['node:internal/streams/readable', 'x', 'node: streams'],
    ['node:internal/process/task_queues', 'x', 'node: timers and queues'],
    ['node:internal/event_target', 'x', 'node: internal/event_target'],
    ['file:///app/node_modules/@grpc/grpc-js/build/src/server.js', 'x', '@grpc/grpc-js'],
    ['file:///app/node_modules/fastify/node_modules/ajv/lib/ajv.js', 'x', 'ajv'],
    ['file:///app/plain/stores/redis/redis-store.js', 'x', 'ours: stores'],
    ['file:///app/plain/main.js', 'x', 'ours: main'],
    ['file:///app/bench/floors/grpc-echo.js', 'x', 'other'],
  ])('of %s %s is %s', (url, functionName, owner) => {
    expect(ownerOf({ functionName, url })).toBe(owner);
  });
});

describe('the times of a profile', () => {
  const frame = (functionName: string, url: string) => ({ functionName, url });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('lock', 'file:///app/plain/lock/lock-service.js') },
      { id: 3, callFrame: frame('(garbage collector)', '') },
    ],
    startTime: 1000,
    samples: [2, 1, 3, 2, 2],
    timeDeltas: [100, 10, 20, 30, 40],
  };

  it('last from a sample to the next, idle ones left out', () => {
    expect(Object.fromEntries(toOwnerTimes(profile, { fromUs: 0, toUs: 9999 }))).toEqual({
      'ours: lock': 10 + 40,
      'V8: garbage collection': 30,
    });
  });

  it('are of the window only', () => {
    // The samples are at 1100, 1110, 1130, 1160 and 1200.
    expect(Object.fromEntries(toOwnerTimes(profile, { fromUs: 1120, toUs: 1150 }))).toEqual({
      'V8: garbage collection': 30,
    });
  });

  it("are told as shares of a call, and of a bare echo's", () => {
    const ours = new Map([
      ['ours: lock', 30],
      ['node: http2', 90],
    ]);
    const table = toProfileTable('grpc', ours, new Map([['node: http2', 60]]));
    expect(table).toContain('| node: http2 | 90.0 | 75.0 % | 150.0 % | 60.0 |');
    expect(table).toContain('| ours: lock | 30.0 | 25.0 % | 50.0 % | 0.00 |');
    expect(table).toContain('All of ours: 30.0 µs, 25.0 % of\nthe call, 50.0 % of a bare echo');
  });
});
