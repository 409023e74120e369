import { Pings } from '../../src/grpc/pings';
import { ManualClock } from '../support/manual-clock';

type Answer = (error: Error | null, durationMs: number, payload: Buffer) => void;

/** A session that answers when the test wants it. */
class FakeSession {
  destroyed = false;
  readonly sentAtMs: number[] = [];
  readonly #unanswered: Answer[] = [];

  constructor(private readonly clock: ManualClock) {}

  ping(answer: Answer): boolean {
    this.sentAtMs.push(this.clock.now());
    this.#unanswered.push(answer);
    return true;
  }

  answer(error: Error | null = null): void {
    for (const callback of this.#unanswered.splice(0)) callback(error, 1, Buffer.alloc(8));
  }
}

describe('PINGs of a connection', () => {
  let clock: ManualClock;
  let session: FakeSession;
  let pings: Pings;
  beforeEach(() => {
    clock = new ManualClock();
    session = new FakeSession(clock);
    pings = new Pings(session, clock);
  });

  /** Passes time in seconds with a client that answers at once. */
  const passAnswered = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.pass(1000);
      session.answer();
    }
  };

  it.each([
    [0, 1],
    [-5, 1],
    [999, 1],
    [1000, 1],
    [3900, 3],
    [20_000, 20],
    [700_000, 20],
  ])('that are wanted every %s ms are sent every %s s', (everyMs, everyS) => {
    pings.want(everyMs);
    passAnswered(3 * everyS);
    expect(session.sentAtMs).toEqual([1, 2, 3].map((count) => count * everyS * 1000));
    expect(pings.isAnswering).toBe(true);
  });

  it('have the shortest interval that is wanted, for as long as it is', () => {
    pings.want(10_000);
    clock.pass(3000);
    const intervalS = pings.want(2000);
    passAnswered(4);
    pings.unwant(intervalS);
    passAnswered(12);
    expect(session.sentAtMs).toEqual([5000, 7000, 9000, 19_000]);
  });

  it('end with the last stream that wants them', () => {
    const intervals = [pings.want(1000), pings.want(3000)];
    passAnswered(1);
    for (const intervalS of intervals) pings.unwant(intervalS);
    clock.pass(60_000);
    expect([session.sentAtMs, clock.timers]).toEqual([[1000], 0]);
  });

  it('are missed where the next is due first, and not repeated', () => {
    pings.want(1000);
    clock.pass(1999);
    expect(pings.isAnswering).toBe(true);
    clock.pass(1);
    expect(pings.isAnswering).toBe(false);
    clock.pass(20_000);
    expect(session.sentAtMs).toEqual([1000]);
  });

  it('may be answered late: then the client is there again', () => {
    pings.want(1000);
    clock.pass(5500);
    session.answer();
    expect(pings.isAnswering).toBe(true);
    clock.pass(500);
    expect(session.sentAtMs).toEqual([1000, 6000]);
  });

  it('are not answered by the end of the session', () => {
    pings.want(1000);
    clock.pass(2000);
    session.destroyed = true;
    session.answer(new Error('cancelled'));
    clock.pass(5000);
    expect([pings.isAnswering, session.sentAtMs]).toEqual([false, [1000]]);
  });
});
