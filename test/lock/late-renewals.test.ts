import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork, type Network } from '../support/lock-world/remote-store';
import { keyOf, type RecordedHold, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

const KEY = keyOf('r');

const slow: Network = {
  passage: () => ({ thereMs: 1, backMs: 100, lost: 'nothing' }),
  wakeMs: () => undefined,
};

const silent: Network = {
  passage: () => ({ thereMs: 1, backMs: 1, lost: 'reply' }),
  wakeMs: () => undefined,
};

/** A renewal extends the lease in the store, and the hold is lost before it learns of that. */
describe('a hold that is lost before it learns that it was renewed', () => {
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;

  const hold = async (): Promise<RecordedHold> => {
    clock = new ManualClock();
    clock.pass(1000);
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock);
    const held = sidecar.hold({ ttlMs: 9000 });
    await clock.passGently(5);
    return held;
  };

  /** Lets a renewal take effect, and nobody hear of it yet. */
  const renewUnheard = async (network: Network): Promise<void> => {
    sidecar.store.network = network;
    const before = server.lockOf(KEY)?.endsAtMs ?? 0;
    await clock.passGently(3050);
    expect(server.lockOf(KEY)?.endsAtMs).toBeGreaterThan(before);
    sidecar.store.network = calmNetwork;
  };

  it('is released where the machine slept past its end before the answer was read', async () => {
    const held = await hold();
    await renewUnheard(slow);
    sidecar.wallAheadMs += 8000;
    await clock.passGently(200);
    expect(held.last).toMatchObject({ type: 'lost', reason: 'EXPIRED' });
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it.each([
    ['in flight', slow],
    ['lost', silent],
  ])('is released where its component was removed with a renewal %s', async (_what, network) => {
    const held = await hold();
    await renewUnheard(network);
    sidecar.stores.remove('store');
    await clock.passGently(6100);
    expect(held.told).toEqual(['held', 'atRisk', 'lost']);
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it('leaves the lock of a later grant alone', async () => {
    const held = await hold();
    await renewUnheard(slow);
    server.release(KEY, 1);
    server.barge(KEY, 60_000);
    sidecar.wallAheadMs += 8000;
    await clock.passGently(1000);
    expect(held.told).toEqual(['held', 'lost']);
    expect(server.lockOf(KEY)).toBeDefined();
  });
});
