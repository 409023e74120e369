import { assertAnswers, parseH2load, toMs } from '../../bench/h2load';
import { readFixture } from './read-fixture';

describe("h2load's report", () => {
  it('is read over gRPC', () => {
    expect(parseH2load(readFixture('h2load-grpc.txt'))).toEqual({
      succeeded: 2000,
      bodyBytes: 10_000,
      tookMs: expect.any(Number) as number,
      meanMs: expect.any(Number) as number,
    });
  });

  it('is read over HTTP/1.1 with a head start for the connections', () => {
    const report = parseH2load(readFixture('h2load-http.txt'));
    expect(report).toMatchObject({ succeeded: 2000, bodyBytes: 34_000, meanMs: 58.91 });
    expect(report.tookMs).toBeGreaterThan(300);
  });

  it('counts no answer with a status of failure', () => {
    expect(parseH2load(readFixture('h2load-http-404.txt')).succeeded).toBe(0);
  });

  it('is refused where it is none', () => {
    expect(() => parseH2load('h2load: not found')).toThrow('h2load said nothing of');
  });

  it.each([
    ['175us', 0.175],
    ['45.29ms', 45.29],
    ['1.20s', 1200],
  ])('reads the time %s', (text, expected) => {
    expect(toMs(text)).toBeCloseTo(expected, 6);
  });

  it('reads no other time', () => {
    expect(() => toMs('soon')).toThrow('no time: soon');
  });
});

describe('the check of the answers', () => {
  it('accepts as many right ones as there were calls', () => {
    const report = parseH2load(readFixture('h2load-grpc.txt'));
    expect(() => {
      assertAnswers(report, 2000, 5);
    }).not.toThrow();
  });

  it('finds errors of gRPC, whose status is 200 and whose body is empty', () => {
    const report = parseH2load(readFixture('h2load-grpc-errors.txt'));
    expect(report.succeeded).toBe(500);
    expect(() => {
      assertAnswers(report, 500, 5);
    }).toThrow('of 500 calls 500 succeeded with 0 bytes of answers; 5 a call were expected');
  });

  it('finds calls that failed', () => {
    expect(() => {
      assertAnswers(parseH2load(readFixture('h2load-http-404.txt')), 100, 118);
    }).toThrow('of 100 calls 0 succeeded');
  });
});
