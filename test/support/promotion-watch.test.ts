import { PromotionWatch } from './promotion-watch';

type Role = 'master' | 'replica' | 'gone';

function createWatch(roles: Record<number, Role>) {
  return new PromotionWatch(Object.keys(roles).map(Number), {
    isMaster: async (server) => {
      if (roles[server] === 'gone') throw new Error('connection refused');
      return roles[server] === 'master';
    },
  });
}

describe('the watch over promotions', () => {
  it('notes the second promotion as well, of a master that lives', async () => {
    const roles: Record<number, Role> = { 1: 'master', 2: 'replica', 3: 'replica' };
    const watch = createWatch(roles);
    await watch.look();
    const seenMs = performance.now();
    Object.assign(roles, { 1: 'gone', 2: 'master' });
    await watch.look();
    expect(watch.promotions.map(({ server }) => server)).toEqual([2]);
    expect(watch.promotions[0]!.fromMs).toBeLessThanOrEqual(seenMs);
    roles[3] = 'master';
    await watch.look();
    await watch.look();
    expect(watch.promotions.map(({ server }) => server)).toEqual([2, 3]);
  });

  it('notes none where a master goes away and comes back', async () => {
    const roles: Record<number, Role> = { 1: 'master', 2: 'replica' };
    const watch = createWatch(roles);
    for (const role of ['master', 'gone', 'master'] as const) {
      roles[1] = role;
      await watch.look();
    }
    expect(watch.promotions).toEqual([]);
  });

  it('notes a server again that was a replica between', async () => {
    const roles: Record<number, Role> = { 1: 'replica' };
    const watch = createWatch(roles);
    for (const role of ['replica', 'master', 'replica', 'master'] as const) {
      roles[1] = role;
      await watch.look();
    }
    expect(watch.promotions).toHaveLength(2);
  });
});
