import { Cancellation } from '../../src/base/cancellation';
import type { CallPolicy } from '../../src/lock/call-policy';
import { SidecarStoppingError } from '../../src/lock/native-lock-service';
import { StoreError } from '../../src/lock/lock-store';
import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork, type Network } from '../support/lock-world/remote-store';
import { keyOf, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

/** Grants and tickets are made, and nobody hears of them. */
const silent: Network = {
  passage: () => ({ thereMs: 1, backMs: 1, lost: 'reply' }),
  wakeMs: () => undefined,
};

const away: Network = { passage: () => undefined, wakeMs: () => undefined };

/** Repeats a failed ask once, as a resiliency policy does. */
const twice: CallPolicy = {
  run: (call, signal) => call(signal).catch(() => call(signal)),
};

/** The outcomes of a wait whose ask was granted and whose answer was lost. */
describe('a wait that may have been granted', () => {
  const clock = new ManualClock();
  let server: LockServer;
  let sidecar: SimulatedSidecar;
  let signal: Cancellation;
  let errorCode: string | undefined;
  let message: string;

  const wait = (policy?: CallPolicy): void => {
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock, policy && { policyOf: () => policy });
    sidecar.store.network = silent;
    signal = new Cancellation();
    errorCode = undefined;
    const request = { storeName: 'store', resourceId: 'r', lockOwner: '', ttlMs: 60_000 };
    sidecar.locks
      .acquire({ ...request, waitMs: 5000 }, sidecar.callerOf(signal))
      .catch((error: unknown) => {
        ({ errorCode, message } = error as { errorCode: string; message: string });
      });
  };

  /** Lets a first ask be granted without an answer, and the next ones fail before they are sent. */
  const loseAnswer = async (): Promise<void> => {
    await clock.passGently(5);
    sidecar.store.network = away;
    await clock.passGently(3000);
    expect(server.lockOf(keyOf('r'))).toBeDefined();
  };

  const stop = (): void => {
    sidecar.locks.stop();
  };
  const stopTransport = (): void => {
    signal.abort(new SidecarStoppingError());
  };
  const remove = (): void => {
    sidecar.stores.remove('store');
  };

  const ends = [
    ['the sidecar stops', stop, 'ERR_LOCK_STOPPING'],
    ['its transport stops', stopTransport, 'ERR_LOCK_STOPPING'],
    ['its component is removed', remove, 'ERR_LOCK_STORE_NOT_FOUND'],
  ] as const;

  it.each([
    ['its time is over', undefined],
    ['its time is over, under a policy that repeats', twice],
  ])('has an unknown outcome when %s, though its last asks did nothing', async (_when, policy) => {
    wait(policy);
    await loseAnswer();
    await clock.passGently(3000);
    expect(errorCode).toBe('ERR_LOCK_OUTCOME_UNKNOWN');
  });

  /** Fails in the pause after the first try, which the time of the wait ends. */
  const pausing: CallPolicy = {
    run: (call, trySignal) => call(trySignal).catch(() => new Promise<never>(() => undefined)),
  };

  it.each([
    ['failed', away, 'ERR_LOCK_STORE_UNAVAILABLE', /: away$/],
    ['had no answer', silent, 'ERR_LOCK_OUTCOME_UNKNOWN', /: no reply came$/],
  ])(
    'ends in the pause of a policy with what its last try said that %s',
    async (_how, network, expected, text) => {
      wait(pausing);
      sidecar.store.network = network;
      await clock.passGently(6000);
      expect(errorCode).toBe(expected);
      expect(message).toMatch(text);
    },
  );

  it.each(ends)('has an unknown outcome when %s', async (_when, end) => {
    wait();
    await loseAnswer();
    end();
    await clock.passGently(5);
    expect(errorCode).toBe('ERR_LOCK_OUTCOME_UNKNOWN');
  });

  it.each(ends)(
    'has an unknown outcome when %s during an ask, and is withdrawn',
    async (_when, end) => {
      wait();
      await clock.passGently(5);
      sidecar.store.network = calmNetwork;
      end();
      await clock.passGently(5);
      expect(errorCode).toBe('ERR_LOCK_OUTCOME_UNKNOWN');
      expect(server.lockOf(keyOf('r'))).toBeUndefined();
    },
  );

  it.each(ends)(
    'holds nothing when %s after a later ask was answered',
    async (_when, end, expected) => {
      wait();
      server.barge(keyOf('r'), 600_000);
      await loseAnswer();
      sidecar.store.network = calmNetwork;
      await clock.passGently(600);
      end();
      await clock.passGently(5);
      expect(errorCode).toBe(expected);
    },
  );

  it('has an unknown outcome when a later ask is refused for good', async () => {
    const refused = new StoreError('no', { kind: 'rejected', outcome: 'not-applied' });
    let asks = 0;
    const refusing: CallPolicy = {
      run: (call, trySignal) => {
        asks += 1;
        return asks === 1 ? call(trySignal) : Promise.reject(refused);
      },
    };
    wait(refusing);
    await loseAnswer();
    expect(errorCode).toBe('ERR_LOCK_OUTCOME_UNKNOWN');
  });
});
