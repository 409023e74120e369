import type { HoldEvent } from '../../src/lock/native-lock-service';
import { LockServer } from '../support/lock-world/lock-server';
import { type RecordedHold, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

const away = { passage: () => undefined, wakeMs: () => undefined };

/** A transport may find that the client has left while it writes an event to it. */
describe('a hold whose client leaves at an event', () => {
  let clock: ManualClock;
  let sidecar: SimulatedSidecar;

  const leaveAt = async (type: HoldEvent['type']): Promise<RecordedHold> => {
    clock = new ManualClock();
    clock.pass(1000);
    sidecar = new SimulatedSidecar(new LockServer(clock), clock, { maxHolds: 1 });
    const hold = sidecar.hold({ ttlMs: 9000 });
    hold.onEvent = (event) => {
      if (event.type === type) hold.signal.abort();
    };
    await clock.passGently(5);
    return hold;
  };

  const make: Readonly<Partial<Record<HoldEvent['type'], () => void>>> = {
    atRisk: () => {
      sidecar.store.network = away;
    },
    lost: () => {
      sidecar.stores.remove('store');
    },
  };

  it.each(['held', 'renewed', 'atRisk', 'lost'] as const)('%s: ends once', async (type) => {
    const hold = await leaveAt(type);
    make[type]?.();
    await clock.passGently(30_000);
    expect(hold.last).toMatchObject({ type });
    expect(hold.ends).toStrictEqual([undefined]);
  });

  it('of a sidecar that stops: ends once', async () => {
    const hold = await leaveAt('atRisk');
    sidecar.locks.stop();
    await clock.passGently(30_000);
    expect(hold.ends).toStrictEqual([undefined]);
  });

  it('leaves one place in the room, and not two', async () => {
    await leaveAt('atRisk');
    const { network } = sidecar.store;
    sidecar.store.network = away;
    await clock.passGently(30_000);
    sidecar.store.network = network;
    sidecar.hold({ resourceId: 'first' });
    await clock.passGently(5);
    const second = sidecar.hold({ resourceId: 'second' });
    await clock.passGently(5);
    expect(second.end).toMatchObject({ errorCode: 'ERR_LOCK_OVERLOADED' });
  });
});
