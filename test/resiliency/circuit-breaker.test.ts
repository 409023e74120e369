import { type BreakerState, CircuitBreaker } from '../../src/resiliency/circuit-breaker';
import type { BreakerSettings } from '../../src/resiliency/policies';
import { compileTrip } from '../../src/resiliency/trip-expression';
import { eventually } from '../support/eventually';

const settingsOf = (fields: Partial<BreakerSettings> = {}): BreakerSettings => ({
  maxRequests: 1,
  intervalMs: 0,
  timeoutMs: 60,
  trip: compileTrip('consecutiveFailures >= 2'),
  tripText: '',
  ...fields,
});

const failing = () => Promise.reject(new Error('down'));
const working = () => Promise.resolve('up');
const always = () => true;

describe('CircuitBreaker', () => {
  const changes: (readonly [BreakerState, BreakerState])[] = [];
  beforeEach(() => {
    changes.length = 0;
  });
  const create = (fields?: Partial<BreakerSettings>) =>
    new CircuitBreaker(settingsOf(fields), (...change) => changes.push(change));
  const fail = (breaker: CircuitBreaker) => breaker.run(failing, always).catch(() => undefined);
  const open = async (breaker: CircuitBreaker) => {
    await fail(breaker);
    await fail(breaker);
  };

  it('opens when its expression says so, and lets nothing through then', async () => {
    const breaker = create();
    await open(breaker);
    const call = jest.fn(working);
    await expect(breaker.run(call, always)).rejects.toThrow('circuit breaker is open');
    expect(call).not.toHaveBeenCalled();
    expect(changes).toEqual([['closed', 'open']]);
  });

  it('starts counting again after a success', async () => {
    const breaker = create();
    await fail(breaker);
    await breaker.run(working, always);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
  });

  it('does not count what is no failure of the target', async () => {
    const breaker = create();
    for (let call = 0; call < 3; call += 1) {
      await breaker.run(failing, () => false).catch(() => undefined);
    }
    expect(breaker.state).toBe('closed');
  });

  it('tries again after its time, and closes when that works', async () => {
    const breaker = create();
    await open(breaker);
    await eventually(() => {
      expect(breaker.state).toBe('half-open');
    });
    await expect(breaker.run(working, always)).resolves.toBe('up');
    expect(changes.at(-1)).toEqual(['half-open', 'closed']);
  });

  it('opens again when that fails', async () => {
    const breaker = create();
    await open(breaker);
    await eventually(() => {
      expect(breaker.state).toBe('half-open');
    });
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  it('lets as many through half-open as maxRequests says, and needs all of them', async () => {
    const breaker = create({ maxRequests: 2 });
    await open(breaker);
    await eventually(() => {
      expect(breaker.state).toBe('half-open');
    });
    let finish = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const [one, other] = [breaker.run(() => slow, always), breaker.run(() => slow, always)];
    await expect(breaker.run(working, always)).rejects.toThrow('too many requests');
    finish();
    await Promise.all([one, other]);
    expect(breaker.state).toBe('closed');
  });

  it('passes over results of calls that began before it changed', async () => {
    const breaker = create();
    let finish = (): void => undefined;
    const late = breaker.run(
      () =>
        new Promise<void>((_resolve, reject) => {
          finish = () => {
            reject(new Error('late'));
          };
        }),
      always,
    );
    await open(breaker);
    await eventually(() => {
      expect(breaker.state).toBe('half-open');
    });
    finish();
    await expect(late).rejects.toThrow('late');
    expect(breaker.state).toBe('half-open');
  });

  it('forgets what it counted after its interval', async () => {
    const breaker = create({ intervalMs: 30 });
    await fail(breaker);
    const since = performance.now();
    await eventually(() => {
      expect(performance.now() - since).toBeGreaterThan(40);
    });
    await fail(breaker);
    expect(breaker.state).toBe('closed');
  });
});

describe('compileTrip', () => {
  const counts = {
    requests: 10,
    totalSuccesses: 4,
    totalFailures: 6,
    consecutiveSuccesses: 0,
    consecutiveFailures: 6,
  };

  it.each([
    ['consecutiveFailures > 5', true],
    ['consecutiveFailures > 6', false],
    ['requests >= 10 && totalFailures > totalSuccesses', true],
    ['totalFailures * 2 > requests', true],
    ['totalFailures * 100 / requests > 50', true],
    ['requests % (totalFailures - 6) == 0', false],
    ['requests * 9223372036854775807 > 0', false],
  ])('%s is %s', (text, trips) => {
    expect(compileTrip(text)(counts)).toBe(trips);
  });

  it('does not trip where its arithmetic fails', () => {
    expect(compileTrip('totalFailures * 100 / requests > 50')({ ...counts, requests: 0 })).toBe(
      false,
    );
  });

  it.each([
    'consecutiveFailures >',
    'failures > 5',
    'requests < 5 || failures > 5',
    'requests > 5 || failures > 5',
    'requests > "a"',
    'requests > 5 ? 1 : true',
    'nope(requests)',
    'requests / failures > 1',
    '5',
  ])('refuses %s', (text) => {
    expect(() => compileTrip(text)).toThrow(`invalid trip expression "${text}"`);
  });
});
