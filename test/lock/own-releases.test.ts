import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork } from '../support/lock-world/remote-store';
import { SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

describe('a waiter whose lock is released by its own sidecar', () => {
  const noWakes = { ...calmNetwork, wakeMs: () => undefined };
  let clock: ManualClock;
  let server: LockServer;
  let sidecar: SimulatedSidecar;

  beforeEach(() => {
    clock = new ManualClock();
    clock.pass(1000);
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock);
    sidecar.store.tellsReleases = true;
  });

  afterEach(() => {
    expect(sidecar.store.violations).toEqual([]);
  });

  it('asks behind the release, and needs no wake-up', async () => {
    const release = await sidecar.holdUntilReleased();
    sidecar.store.network = noWakes;
    const waiter = sidecar.wait();
    await clock.passGently(100);
    await release();
    expect(waiter.answer?.acquired).toBe(true);
    expect(sidecar.store.sent.slice(-2)).toEqual(['release', 'ask']);
  });

  it('is served by the wake-up if its ask came before the release', async () => {
    const release = await sidecar.holdUntilReleased();
    const waiter = sidecar.wait();
    await clock.passGently(100);
    const asks = sidecar.store.asked.length;
    const thereMs = [3, 1];
    sidecar.store.network = {
      ...calmNetwork,
      passage: () => ({ thereMs: thereMs.shift() ?? 0.5, backMs: 0.5, lost: 'nothing' }),
    };
    await release();
    expect(waiter.answer?.acquired).toBe(true);
    expect(sidecar.store.asked.length).toBe(asks + 2);
  });

  it('does not ask if a waiter elsewhere leads', async () => {
    const release = await sidecar.holdUntilReleased();
    const first = new SimulatedSidecar(server, clock).wait();
    await clock.passGently(5);
    const second = sidecar.wait();
    await clock.passGently(100);
    const asks = sidecar.store.asked.length;
    await release();
    expect([first.answer?.acquired, second.answer]).toEqual([true, undefined]);
    expect(sidecar.store.asked.length).toBe(asks);
  });
});
