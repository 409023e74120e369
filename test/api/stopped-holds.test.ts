import { setImmediate as nextTurn } from 'node:timers/promises';

import type { EventStream } from '../../src/api/api-method';
import { HoldStream } from '../../src/api/hold-stream';
import type { HoldEvent, NativeLockService } from '../../src/lock/native-lock-service';
import { createFakeNativeLocks } from '../support/fake-lock-service';
import { LockServer } from '../support/lock-world/lock-server';
import { calmNetwork, type Network } from '../support/lock-world/remote-store';
import { SimulatedSidecar } from '../support/lock-world/sidecar';
import { ManualClock } from '../support/manual-clock';

/** Grants are made, and nobody hears of them. */
const silent: Network = {
  passage: () => ({ thereMs: 1, backMs: 1, lost: 'reply' }),
  wakeMs: () => undefined,
};

/** A stream that keeps what it was told. */
class RecordedStream implements EventStream<HoldEvent> {
  readonly observer = undefined;
  readonly isAnswering = true;
  readonly isOpen = true;
  readonly told: string[] = [];
  readonly metadata = () => undefined;
  readonly expectAnswers = () => undefined;

  send({ type }: HoldEvent): boolean {
    this.told.push(type);
    return true;
  }

  end(): void {
    this.told.push('end');
  }

  fail(error: unknown): void {
    this.told.push((error as { errorCode: string }).errorCode);
  }
}

describe('a hold whose transport stops', () => {
  const clock = new ManualClock();
  let sidecar: SimulatedSidecar;
  let server: LockServer;
  let stream: RecordedStream;

  const begin = (waitMs: number, locks: NativeLockService = sidecar.locks): HoldStream => {
    const request = { storeName: 'store', resourceId: 'r', lockOwner: 'o', ttlMs: 60_000, waitMs };
    return new HoldStream(stream).begin(locks, request);
  };

  beforeEach(() => {
    server = new LockServer(clock);
    sidecar = new SimulatedSidecar(server, clock);
    stream = new RecordedStream();
  });

  it.each([0, 5000])('has an unknown outcome where it may be granted, wait %d', async (waitMs) => {
    sidecar.store.network = silent;
    const hold = begin(waitMs);
    await clock.passGently(5);
    expect(hold.stopping()).toBe(true);
    await nextTurn();
    expect(stream.told[0]).toBe('ERR_LOCK_OUTCOME_UNKNOWN');
  });

  it('holds nothing where it only waited', async () => {
    server.barge('lock||app||r', 60_000);
    const hold = begin(5000);
    await clock.passGently(5);
    hold.stopping();
    await nextTurn();
    expect(stream.told.slice(0, 2)).toEqual(['queued', 'ERR_LOCK_STOPPING']);
  });

  it('ends without an error where it was held', async () => {
    sidecar.store.network = calmNetwork;
    const hold = begin(0);
    await clock.passGently(5);
    hold.stopping();
    await nextTurn();
    expect(stream.told.slice(0, 3)).toEqual(['held', 'atRisk', 'end']);
  });

  it('has an unknown outcome where its service does not end it', async () => {
    const locks = createFakeNativeLocks({ hold: () => undefined });
    begin(0, locks).stopping();
    await nextTurn();
    expect(stream.told).toEqual(['ERR_LOCK_OUTCOME_UNKNOWN']);
  });
});
