import { Lifecycle } from '../../src/base/lifecycle';

describe('Lifecycle', () => {
  const unlimited = new AbortController().signal;

  it('closes what was opened last first', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle();
    for (const name of ['store', 'server']) {
      lifecycle.add(name, () => Promise.resolve(void closed.push(name)));
    }
    await lifecycle.close(unlimited);
    expect(closed).toEqual(['server', 'store']);
  });

  it('closes everything once, however often it is asked', async () => {
    const close = jest.fn(() => Promise.resolve());
    const lifecycle = new Lifecycle();
    lifecycle.add('store', close);
    await Promise.all([lifecycle.close(unlimited), lifecycle.close(unlimited)]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('goes on after a closer that fails, and names it', async () => {
    const close = jest.fn(() => Promise.resolve());
    const lifecycle = new Lifecycle();
    lifecycle.add('store', close);
    lifecycle.add('server', () => Promise.reject(new Error('stuck')));
    await expect(lifecycle.close(unlimited)).rejects.toThrow('closing server failed');
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('calls every closer once the grace is over, and waits for none', async () => {
    const grace = new AbortController();
    const close = jest.fn(() => Promise.resolve());
    const lifecycle = new Lifecycle();
    lifecycle.add('store', close);
    lifecycle.add('server', () => new Promise(() => undefined));
    const closed = lifecycle.close(grace.signal);
    grace.abort();
    await closed;
    expect(close).toHaveBeenCalledWith(grace.signal);
  });
});
