import { findGivenUp, GIVEN_UP } from './given-up';
import type { Operation } from './history';

const CALL: Operation = {
  id: 1,
  kind: 'acquire',
  key: 'k',
  owner: 'o',
  ttlMs: 1000,
  by: 'holdfast',
  over: 'grpc',
  calledAtMs: 0,
  returnedAtMs: 100,
  answer: 'refused',
  sidecar: 0,
};

describe('the times in which a sidecar gave a send up', () => {
  const find = (change: Partial<Operation>, limitMs = 600) =>
    findGivenUp([{ ...CALL, ...change }], [limitMs]);

  it.each<[string, Partial<Operation>]>([
    ['a call took longer than the limit', { returnedAtMs: 700 }],
    ['a wait took longer than it was to and the limit', { waitMs: 500, returnedAtMs: 1200 }],
    ['a sidecar says so', { answer: 'unknown', reason: 'Redis did not reply within 600 ms' }],
  ])('are found where %s', (_what, change) => {
    expect(find(change)).toMatchObject([{ kind: GIVEN_UP, sidecar: 0 }]);
  });

  it.each<[string, Partial<Operation>]>([
    ['a call was quick', {}],
    ['a wait took as long as it was to', { waitMs: 2500, returnedAtMs: 2600 }],
    [
      'the own time of a call was over',
      { waitMs: 2500, returnedAtMs: 2510, reason: 'Redis did not reply within 4 ms' },
    ],
    ['a part of a wait is as long as the wait', { isPart: true, returnedAtMs: 2600 }],
    ["a client used daprd's commands", { by: 'daprd', returnedAtMs: 3100 }],
  ])('are none where %s', (_what, change) => {
    expect(find(change)).toEqual([]);
  });

  it('are none where the limit is long', () => {
    expect(find({ returnedAtMs: 3100 }, 3000)).toEqual([]);
  });
});
