import { setTimeout as pause } from 'node:timers/promises';

import type { Attack } from '../attack';

/** No attack: what the machine and the measuring cost by themselves. */
export const floor: Attack = {
  name: 'floor',
  description: 'Nothing happens: the floor that this machine sets for the other rows.',
  kind: 'floor',
  run: async () => {
    await pause(3000);
    return undefined;
  },
};
