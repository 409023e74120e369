import { VegetaResults, type AnswerCheck } from '../../bench/vegeta-results';
import { readFixture } from './read-fixture';

const REFUSED = Buffer.alloc(5);
const isRefused: AnswerCheck = ({ action, body }) => action === 'lock' && body.equals(REFUSED);

function read(text: string, check: AnswerCheck = isRefused, rate?: number): VegetaResults {
  const results = new VegetaResults(check, rate);
  for (const line of text.trim().split('\n')) results.add(line);
  return results;
}

/** A line of `vegeta encode --to csv`; times in ms. */
const lineOf = (sequence: number, sentMs: number, tookMs: number): string =>
  `${1_795_613_064_000_000_000n + BigInt(sentMs * 1e6)},200,${tookMs * 1e6},31,5,,AAAAAAA=,,${sequence},POST,http://127.0.0.1:1/dapr.proto.runtime.v1.Dapr/TryLockAlpha1,`;

describe("vegeta's results", () => {
  it('count the calls, and not the end of the plan that each worker tells', () => {
    expect(read(readFixture('vegeta-full-speed.csv')).calls).toBe(6);
    expect(read(readFixture('vegeta-rate.csv')).calls).toBe(6);
  });

  it('are all right where every answer is', () => {
    expect(() => {
      read(readFixture('vegeta-full-speed.csv')).assertAllRight();
    }).not.toThrow();
  });

  it('name the first of the wrong answers', () => {
    const results = read(readFixture('vegeta-rate.csv'), ({ sentBytes }) => sentBytes !== 31);
    expect(() => {
      results.assertAllRight();
    }).toThrow(
      /^6 of 6 calls failed or were answered wrongly, the first: .*TryLockAlpha1 answered/,
    );
  });

  it('are wrong where there was no connection', () => {
    expect(() => {
      read(readFixture('vegeta-refused-connection.csv'), () => true).assertAllRight();
    }).toThrow(/2 of 2 calls failed .*connection refused/);
  });

  it('are wrong where no call was made', () => {
    expect(() => {
      new VegetaResults(isRefused).assertAllRight();
    }).toThrow('vegeta made no call');
  });

  it('tell calls a second from the first start to the last end', () => {
    expect(read([lineOf(1, 5, 5), lineOf(0, 0, 7)].join('\n')).callsPerSecond).toBeCloseTo(200, 6);
  });

  it('tell the time of calls at full speed as it is', () => {
    const lines = [lineOf(0, 0, 1), lineOf(1, 1, 2), lineOf(2, 3, 9)];
    const results = read(lines.join('\n'));
    expect(results.waitsMs()).toEqual([1, 2, 9]);
    expect(results.meanMs).toBeCloseTo(4, 6);
  });

  it('count time at a rate from when a call was due, where the generator was late', () => {
    // Due at 0, 1, 2 and 3 ms; a pause of the generator sends the last two 10 ms late.
    const lines = [lineOf(0, 0, 1), lineOf(1, 1, 1), lineOf(2, 12, 1), lineOf(3, 13, 1)];
    expect(read(lines.join('\n'), isRefused, 1000).waitsMs()).toEqual([1, 1, 11, 11]);
  });

  it('leave out the first calls where that is asked for', () => {
    const lines = [lineOf(0, 0, 30), lineOf(1, 1, 1), lineOf(2, 2, 2)];
    expect(read(lines.join('\n'), isRefused, 1000).waitsMs(1)).toEqual([1, 2]);
  });
});
