import { SilentCallerError, SidecarStoppingError } from '../../src/lock/native-lock-service';
import type { HoldReport, RenewalOutcome } from '../../src/lock/lock-observer';
import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork } from '../support/lock-world/remote-store';
import { keyOf, type RecordedHold, SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock, settlePromises } from '../support/manual-clock';

const KEY = keyOf('r');

describe('a hold', () => {
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;
  const reports: HoldReport[] = [];
  const renewals: RenewalOutcome[] = [];

  const start = (options = {}): void => {
    clock = new ManualClock();
    clock.pass(1000);
    server = new LockServer(clock);
    const observer = {
      ended: () => undefined,
      holdEnded: (report: HoldReport) => reports.push(report),
      renewalEnded: (_store: string, outcome: RenewalOutcome) => renewals.push(outcome),
    };
    sidecar = new SimulatedSidecar(server, clock, { observer, ...options });
  };

  const holding = async (ttlMs = 9000): Promise<RecordedHold> => {
    const hold = sidecar.hold({ ttlMs });
    await clock.passGently(5);
    expect(hold.told).toEqual(['held']);
    return hold;
  };

  const away = { passage: () => undefined, wakeMs: () => undefined };
  const silent = {
    passage: () => ({ thereMs: 1, backMs: 1, lost: 'reply' as const }),
    wakeMs: () => undefined,
  };

  const deaf = { ...silent, passage: () => ({ thereMs: 1, backMs: 1, lost: 'request' as const }) };

  beforeEach(() => {
    reports.length = 0;
    renewals.length = 0;
    start();
  });

  it('is told the lease, counted from the arrival of the call', async () => {
    const hold = sidecar.hold({ ttlMs: 9000, lockOwner: 'me' });
    await clock.passGently(5);
    expect(hold.last).toEqual(
      expect.objectContaining({
        type: 'held',
        lease: { lockOwner: 'me', fencingToken: 1, validMs: 8999 },
      }),
    );
  });

  it('draws an owner that names app and host where none is given', async () => {
    await holding();
    expect(server.lockOf(KEY)?.owner).toMatch(/^app\/host\/[0-9a-f]{16}$/);
  });

  it('is renewed every third of its lease, and told so', async () => {
    const hold = await holding();
    await clock.passGently(9100);
    expect(hold.told).toEqual(['held', 'renewed', 'renewed', 'renewed']);
    expect(hold.events[1]).toEqual(
      expect.objectContaining({ type: 'renewed', validMs: expect.any(Number) as number }),
    );
    expect(hold.events.map(({ atMs }) => Math.round((atMs - 1000) / 100))).toEqual([0, 30, 60, 90]);
    expect(server.lockOf(KEY)?.endsAtMs).toBeGreaterThan(clock.now() + 8000);
  });

  it('spreads the renewals of holds that began together', async () => {
    let chance = 0;
    start({ random: () => (chance = (chance + 0.37) % 1) });
    for (let index = 0; index < 10; index += 1) sidecar.hold({ resourceId: `r${index}` });
    const times = new Set<number>();
    await clock.passGently(3100, () => {
      if (sidecar.store.sent.includes('renew')) times.add(clock.now());
      sidecar.store.sent.length = 0;
    });
    expect(times.size).toBe(10);
  });

  it('releases its lock when the client ends the call, and tells nothing more', async () => {
    const hold = await holding();
    hold.signal.abort();
    await clock.passGently(5);
    expect(server.lockOf(KEY)).toBeUndefined();
    expect(hold.end).toBe('resolved');
    await clock.passGently(20_000);
    expect(hold.told).toEqual(['held']);
    expect(clock.timers).toBe(0);
    expect(reports).toEqual([
      expect.objectContaining({ outcome: 'released', storeName: 'store', resourceId: 'r' }),
    ]);
  });

  it.each([
    ['away', away],
    ['silent', deaf],
  ])('releases its lock once a store that was %s is back', async (_what, network) => {
    const hold = await holding(60_000);
    sidecar.store.network = network;
    hold.signal.abort();
    await clock.passGently(5000);
    expect(hold.end).toBe('resolved');
    expect(server.lockOf(KEY)).toBeDefined();
    sidecar.store.network = calmNetwork;
    await clock.passGently(1600);
    expect(server.lockOf(KEY)).toBeUndefined();
  });

  it('does not go on releasing once the lease has run out', async () => {
    const hold = await holding();
    sidecar.store.network = away;
    hold.signal.abort();
    await clock.passGently(10_000);
    expect(clock.timers).toBe(0);
  });

  it('releases nothing where the client fell silent: the lease runs out', async () => {
    const hold = await holding();
    hold.signal.abort(new SilentCallerError());
    await clock.passGently(8000);
    expect(server.lockOf(KEY)).toBeDefined();
    expect(sidecar.store.sent).toEqual(['acquire']);
    expect(hold.end).toBe('resolved');
    expect(reports).toEqual([expect.objectContaining({ outcome: 'abandoned' })]);
  });

  it('is not renewed while its client does not read, and goes on where it reads in time', async () => {
    const hold = await holding();
    hold.isWritable = false;
    await clock.passGently(6000);
    expect(hold.told).toEqual(['held']);
    hold.isWritable = true;
    await clock.passGently(1000);
    expect(hold.told).toEqual(['held', 'renewed']);
    expect(renewals).toContain('withheld');
  });

  it('is lost where its client does not read until the lease ends', async () => {
    const hold = await holding();
    hold.isWritable = false;
    await clock.passGently(9000);
    expect(hold.told).toEqual(['held', 'lost']);
    expect(hold.last).toEqual(expect.objectContaining({ reason: 'EXPIRED' }));
  });

  describe('whose store fails', () => {
    it.each([
      ['is away', away],
      ['does not answer', silent],
    ])('is told at risk, and lost at the end of its lease, where it %s', async (_what, network) => {
      const hold = await holding();
      sidecar.store.network = network;
      await clock.passGently(8990);
      expect(hold.told).toEqual(['held', 'atRisk']);
      await clock.passGently(10);
      expect(hold.last).toEqual(
        expect.objectContaining({ type: 'lost', reason: 'STORE_UNREACHABLE' }),
      );
      expect(hold.events.at(-1)!.atMs).toBe(1000 + 8999);
      expect(hold.end).toBe('resolved');
      expect(reports).toEqual([
        expect.objectContaining({ outcome: 'lost', lostBy: 'STORE_UNREACHABLE' }),
      ]);
    });

    it('survives an outage that is shorter than its lease', async () => {
      const hold = await holding();
      sidecar.store.network = away;
      await clock.passGently(8000);
      sidecar.store.network = calmNetwork;
      await clock.passGently(700);
      expect(hold.told).toEqual(['held', 'atRisk', 'renewed']);
      await clock.passGently(9000);
      expect(hold.told).not.toContain('lost');
    });

    it('waits for an answer no longer than a third of what is left', async () => {
      const hold = await holding(1200);
      sidecar.store.network = silent;
      await clock.passGently(400 + 267 + 5);
      expect(hold.told).toEqual(['held', 'atRisk']);
    });

    it('frees what a renewal of unknown outcome has prolonged for nobody', async () => {
      const hold = await holding();
      sidecar.store.network = silent;
      await clock.passGently(8000);
      sidecar.store.network = deaf;
      await clock.passGently(1000);
      expect(hold.told).toEqual(['held', 'atRisk', 'lost']);
      expect(server.lockOf(KEY)).toBeDefined();
      sidecar.store.network = calmNetwork;
      await clock.passGently(2000);
      expect(server.lockOf(KEY)).toBeUndefined();
    });
  });

  it.each([
    ['EXPIRED', 'the store lost its data', () => undefined],
    [
      'TAKEN_OVER',
      'another has the lock',
      () => {
        server.barge(KEY, 60_000);
      },
    ],
  ])('is lost by %s where %s, and the other keeps its lock', async (reason, _what, then) => {
    const hold = await holding();
    server.loseData();
    then();
    await clock.passGently(3100);
    expect(hold.told).toEqual(['held', 'lost']);
    expect(hold.last).toEqual(expect.objectContaining({ type: 'lost', reason }));
    await clock.passGently(10_000);
    expect(server.lockOf(KEY)?.owner).toBe(reason === 'EXPIRED' ? undefined : 'daprd');
  });

  it('is lost within a second of a sleep of the machine that outlasted its lease', async () => {
    const hold = await holding(60_000);
    sidecar.wallAheadMs += 3_600_000;
    await clock.passGently(1000);
    expect(hold.told).toEqual(['held', 'lost']);
    expect(hold.last).toEqual(expect.objectContaining({ reason: 'EXPIRED' }));
  });

  it('counts a shorter sleep as time of its lease', async () => {
    const hold = await holding(60_000);
    sidecar.wallAheadMs += 30_000;
    sidecar.store.network = away;
    await clock.passGently(29_900);
    expect(hold.told).toEqual(['held', 'atRisk']);
    await clock.passGently(200);
    expect(hold.told).toEqual(['held', 'atRisk', 'lost']);
  });

  it('is not told renewed by an answer that comes after its end, as the machine slept meanwhile', async () => {
    const hold = await holding(9000);
    const slow = { thereMs: 1, backMs: 200, lost: 'nothing' as const };
    sidecar.store.network = { ...calmNetwork, passage: () => slow };
    await clock.passGently(3050);
    expect(sidecar.store.sent).toContain('renew');
    sidecar.wallAheadMs += 7000;
    await clock.passGently(300);
    expect(hold.told).toEqual(['held', 'lost']);
  });

  describe('when the sidecar stops', () => {
    it.each([
      [
        'the service',
        () => {
          sidecar.locks.stop();
        },
      ],
      [
        'its transport',
        (hold: RecordedHold) => {
          hold.signal.abort(new SidecarStoppingError());
        },
      ],
    ])('is told by %s how long its lease lasts, and nothing is released', async (_who, stop) => {
      const hold = await holding();
      stop(hold);
      expect(hold.last).toEqual(
        expect.objectContaining({ type: 'atRisk', validMs: 8999, reason: 'SIDECAR_STOPPING' }),
      );
      await clock.passGently(8000);
      expect(sidecar.store.sent).toEqual(['acquire']);
      expect(server.lockOf(KEY)).toBeDefined();
      expect(hold.end).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_STOPPING' }));
    });

    it('is not released by the end of its connection that comes after', async () => {
      const hold = await holding();
      sidecar.locks.stop();
      hold.signal.abort();
      await clock.passGently(100);
      expect(server.lockOf(KEY)).toBeDefined();
    });

    it('is refused from then on', async () => {
      sidecar.locks.stop();
      const hold = sidecar.hold();
      await settlePromises();
      expect(hold.end).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_STOPPING' }));
    });
  });

  describe('whose component', () => {
    it('was replaced goes on at the old store, which is used until then', async () => {
      const hold = await holding();
      const entry = sidecar.stores.find('store')!;
      const unused = jest.fn();
      sidecar.stores.add({ ...entry, store: new SimulatedSidecar(server, clock).store });
      void sidecar.stores.whenUnused(entry.store).then(unused);
      await clock.passGently(3100);
      expect(hold.told).toEqual(['held', 'renewed']);
      expect(unused).not.toHaveBeenCalled();
      hold.signal.abort();
      await clock.passGently(5);
      expect(unused).toHaveBeenCalledTimes(1);
    });

    it('was removed is at risk, and then lost', async () => {
      const hold = await holding();
      sidecar.stores.remove('store');
      expect(hold.last).toEqual(
        expect.objectContaining({ type: 'atRisk', reason: 'STORE_REMOVED' }),
      );
      await clock.passGently(9100);
      expect(hold.told).toEqual(['held', 'atRisk', 'lost']);
      expect(sidecar.store.sent).toEqual(['acquire']);
    });
  });

  it('is refused beyond the bound, until another has ended', async () => {
    start({ maxHolds: 1 });
    const first = sidecar.hold();
    const second = sidecar.hold({ resourceId: 'other' });
    await clock.passGently(5);
    expect(second.end).toEqual(expect.objectContaining({ errorCode: 'ERR_LOCK_OVERLOADED' }));
    first.signal.abort();
    await clock.passGently(5);
    const third = sidecar.hold({ resourceId: 'other' });
    await clock.passGently(5);
    expect(third.told).toEqual(['held']);
  });

  it('is told the holder where the lock is held', async () => {
    await holding();
    const other = sidecar.hold();
    await clock.passGently(5);
    expect(other.last).toEqual(
      expect.objectContaining({
        type: 'refused',
        holder: expect.objectContaining({ resourceId: 'r', fencingToken: 1 }) as object,
      }),
    );
    expect(other.end).toBe('resolved');
  });

  it('has one timer for a thousand of them', async () => {
    for (let index = 0; index < 1000; index += 1) sidecar.hold({ resourceId: `r${index}` });
    await clock.passGently(10);
    await settlePromises();
    expect(clock.timers).toBe(1);
  });
});
