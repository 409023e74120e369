import { toChannel } from '../../../src/stores/redis/side-keys';
import { eventually } from '../../support/eventually';
import { type LabCall, labCall, type LabReply, type ScriptLab } from './script-lab';

/** The place of a queued ask. */
const placeOf = (reply: LabReply): string => String((reply as (number | string)[])[1]);

/** A lock that is held, and calls of sidecars that are present and have asked for it in this order. */
export async function withQueue(lab: ScriptLab, ...sidecars: readonly string[]) {
  const holder = labCall();
  await lab.acquire(holder);
  const waiters: LabCall[] = [];
  const places: string[] = [];
  for (const sidecar of sidecars) {
    await lab.open(sidecar);
    const waiter = labCall({ key: holder.key, sidecar });
    places.push(placeOf(await lab.ask(waiter)));
    waiters.push(waiter);
  }
  return { holder, waiters, places };
}

/** The messages that are published to a sidecar during an action, complete at its end. */
export async function wokenBy(lab: ScriptLab, sidecar: string, act: () => Promise<unknown>) {
  const subscriber = lab.client.duplicate();
  subscriber.on('error', () => undefined);
  await subscriber.connect();
  const told: string[] = [];
  try {
    await subscriber.subscribe(toChannel(sidecar), (message) => told.push(message));
    await act();
    await lab.client.publish(toChannel(sidecar), 'last');
    await eventually(() => {
      expect(told).toContain('last');
    });
  } finally {
    subscriber.destroy();
  }
  return told.slice(0, -1);
}
