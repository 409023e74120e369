import { calmNetwork, type Network } from '../../support/lock-world/remote-store';
import type { Chance } from './chance';

/** Networks by what is wrong with them. */
export function createNetworks(chance: Chance): readonly Network[] {
  const lossy: Network = {
    passage: () => ({
      thereMs: chance.is(0.1) ? chance.between(0, 700) : chance.between(0.2, 2),
      backMs: chance.is(0.1) ? chance.between(0, 700) : chance.between(0.2, 2),
      lost: chance.is(0.1) ? chance.of(['request', 'reply']) : 'nothing',
    }),
    wakeMs: () => (chance.is(0.4) ? undefined : chance.between(0.2, 300)),
  };
  const away: Network = { passage: () => undefined, wakeMs: () => undefined };
  const deaf: Network = {
    passage: () => ({ thereMs: 1, backMs: 1, lost: chance.of(['request', 'reply']) }),
    wakeMs: () => undefined,
  };
  return [calmNetwork, calmNetwork, lossy, lossy, lossy, away, deaf];
}
