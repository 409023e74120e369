import { resolveListenHosts } from '../src/listen';

describe('resolveListenHosts', () => {
  it('keeps the addresses that are given', async () => {
    await expect(resolveListenHosts(['127.0.0.1', '::1'])).resolves.toEqual(['127.0.0.1', '::1']);
  });

  it('takes all addresses where none is given', async () => {
    const hosts = await resolveListenHosts([]);
    expect(['::', '0.0.0.0']).toContain(hosts[0]);
    expect(hosts).toHaveLength(1);
  });
});
