import { connect } from '../../src/client/connect';
import type { Locks } from '../../src/client/locks';
import {
  LockLostError,
  LockNotAcquiredError,
  LockRejectedError,
  LockUnreachableError,
} from '../../src/client/client-errors';
import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { SidecarProcess } from '../support/sidecar-process';

/** One sidecar with a store in memory: what needs no fault of it. */
let sidecar: SidecarProcess;
let locks: Locks;

beforeAll(async () => {
  const folder = await writeComponent({ type: 'lock.in-memory' });
  const env = { DAPR_API_TOKEN: 'secret' };
  sidecar = await SidecarProcess.start({ args: ['--resources-path', folder], env });
  locks = connectTo(sidecar.grpcPort);
});

afterAll(async () => {
  await locks.close();
  await sidecar.stop();
});

function connectTo(port: number, options: Parameters<typeof connect>[0] = {}): Locks {
  return connect({ address: `127.0.0.1:${port}`, apiToken: 'secret', ...options });
}

describe('hold', () => {
  it('has the lock until the scope is left', async () => {
    {
      await using lock = await locks.hold('scoped', { ttlMs: 5000, owner: 'me' });
      expect(lock).toMatchObject({ resourceId: 'scoped', owner: 'me' });
      expect(lock.token).toBeGreaterThan(0);
      expect(lock.validForMs).toBeGreaterThan(3000);
      expect(lock.validForMs).toBeLessThanOrEqual(5000);
      const found = await locks.get('scoped');
      expect(found).toMatchObject({ lockOwner: 'me', fencingToken: lock.token, waiters: 0 });
    }
    expect(await locks.get('scoped')).toBeUndefined();
  });

  it('goes on beyond its lease, which is renewed, and signals nothing', async () => {
    await using lock = await locks.hold('renewed', { ttlMs: 300 });
    const until = performance.now() + 900;
    await eventually(() => {
      expect(lock.validForMs).toBeGreaterThan(0);
      expect(performance.now()).toBeGreaterThan(until);
    });
    expect([lock.signal.aborted, lock.lost.aborted]).toEqual([false, false]);
  });

  it('draws an owner that names this process', async () => {
    await using lock = await locks.hold('drawn');
    expect(lock.owner).toMatch(new RegExp(`^.+-${process.pid}-[0-9a-f]{12}$`));
  });

  it('rejects with the holder where another has the lock', async () => {
    await using lock = await locks.hold('taken', { owner: 'the-first' });
    const refused = await locks.hold('taken').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LockNotAcquiredError);
    const { holder, message } = refused as LockNotAcquiredError;
    expect(holder).toMatchObject({ lockOwner: 'the-first', fencingToken: lock.token });
    expect(message).toMatch(/^the lock "taken" was not acquired: it is held by the-first, whose/);
  });

  it('waits in turn, and says so', async () => {
    const first = await locks.hold('turn');
    const ahead: number[] = [];
    const waiting = locks.hold('turn', {
      waitMs: 10_000,
      onQueued: (number) => ahead.push(number),
    });
    await eventually(async () => {
      expect(await locks.get('turn')).toMatchObject({ waiters: 1 });
    });
    await first.release();
    await using second = await waiting;
    expect(second.token).toBeGreaterThan(first.token);
    expect(ahead).toEqual([0]);
  });

  it('ends its wait by the signal, with its reason, and leaves nothing behind', async () => {
    await using first = await locks.hold('left');
    const leaving = new AbortController();
    const waiting = locks.hold('left', { waitMs: 10_000, signal: leaving.signal });
    await eventually(async () => {
      expect(await locks.get('left')).toMatchObject({ waiters: 1 });
    });
    leaving.abort(new Error('changed my mind'));
    await expect(waiting).rejects.toThrow('changed my mind');
    await expect(locks.hold('left', { signal: leaving.signal })).rejects.toThrow('changed my mind');
    await eventually(async () => {
      expect(await locks.get('left')).toMatchObject({ waiters: 0, fencingToken: first.token });
    });
  });

  it('says that the lock is lost where somebody has freed it', async () => {
    const lock = await locks.hold('freed', { ttlMs: 600 });
    const seen = await locks.get('freed');
    expect(await locks.forceRelease(seen!, 'to see')).toBe('RELEASED');
    await eventually(() => {
      expect(lock.lost.reason).toBeInstanceOf(LockLostError);
    });
    expect(lock.signal.aborted).toBe(true);
    expect(lock.validForMs).toBe(0);
    await expect(lock.release()).rejects.toThrow(LockLostError);
  });

  it('says at the release that another has the lock by now', async () => {
    const lock = await locks.hold('overrun', { ttlMs: 60_000 });
    await locks.forceRelease({ resourceId: 'overrun', fencingToken: lock.token }, 'to see');
    await using next = await locks.hold('overrun');
    await expect(lock.release()).rejects.toThrow('the lock "overrun" was lost: another has it');
    expect((await locks.get('overrun'))?.fencingToken).toBe(next.token);
  });
});

describe('withLock', () => {
  it('returns what the work returns, and has released the lock by then', async () => {
    const result = await locks.withLock('work', { ttlMs: 5000 }, async ({ token }) => {
      expect((await locks.get('work'))?.fencingToken).toBe(token);
      return 42;
    });
    expect(result).toBe(42);
    expect(await locks.get('work')).toBeUndefined();
  });

  it('throws what the work throws, and has released the lock by then', async () => {
    const failing = locks.withLock('failing', {}, () => {
      throw new Error('no disk');
    });
    await expect(failing).rejects.toThrow('no disk');
    expect(await locks.get('failing')).toBeUndefined();
  });

  it('fails where the lock did not last until the end of the work', async () => {
    const work = locks.withLock('short', {}, async ({ token }) => {
      await locks.forceRelease({ resourceId: 'short', fencingToken: token }, 'to see');
    });
    await expect(work).rejects.toThrow(LockLostError);
  });
});

describe('single calls', () => {
  it('acquire, renew and release a lease', async () => {
    const lease = await locks.acquire('lease', { ttlMs: 2000, owner: 'me' });
    expect(lease.validForMs).toBeLessThanOrEqual(2000);
    await expect(locks.acquire('lease')).rejects.toThrow(LockNotAcquiredError);
    const renewed = await locks.renew('lease', { ...lease, ttlMs: 60_000 });
    expect(renewed).toMatchObject({ owner: 'me', token: lease.token });
    expect(renewed.validForMs).toBeGreaterThan(50_000);
    expect(await locks.release('lease', { owner: 'me', token: lease.token + 1 })).toBe(
      'HELD_BY_OTHER',
    );
    expect(await locks.release('lease', { owner: 'me' })).toBe('RELEASED');
    expect(await locks.release('lease', { owner: 'me' })).toBe('NOT_FOUND');
    await expect(locks.renew('lease', lease)).rejects.toThrow(LockLostError);
  });

  it('list all pages, by prefix', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `page-${index}`);
    for (const name of names) await locks.acquire(name, { ttlMs: 60_000 });
    const found: string[] = [];
    for await (const { resourceId } of locks.list({ prefix: 'page-', pageSize: 2 })) {
      found.push(resourceId);
    }
    expect(found.sort()).toEqual(names);
  });

  it('free nothing but the grant that was looked at', async () => {
    const { token } = await locks.acquire('forced', { ttlMs: 60_000 });
    const other = { resourceId: 'forced', fencingToken: token - 1 };
    expect(await locks.forceRelease(other, 'to see')).toBe('HELD_BY_OTHER');
    expect(await locks.get('forced')).toBeDefined();
  });
});

describe('what is refused', () => {
  it.each([
    ['an empty resource', () => locks.hold(''), 'INVALID_ARGUMENT'],
    ['a lease that is too short', () => locks.hold('a', { ttlMs: 1 }), 'INVALID_ARGUMENT'],
    ['an unknown store', () => use({ store: 'nope' }, (it) => it.hold('a')), 'INVALID_ARGUMENT'],
    ['a wrong token', () => use({ apiToken: 'x' }, (it) => it.get('a')), 'UNAUTHENTICATED'],
    ['a force release without a reason', () => locks.forceRelease(SEEN, ''), 'INVALID_ARGUMENT'],
  ])('%s rejects with the code of the sidecar', async (_what, call, code) => {
    const error = await call().catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(LockRejectedError);
    expect((error as LockRejectedError).code).toBe(code);
  });

  it('is unreachable where nobody listens, whatever the call', async () => {
    const port = await findFreePort();
    const nobody = connectTo(port);
    const calls = [
      nobody.hold('a', { waitMs: 60_000 }),
      nobody.acquire('a'),
      nobody.get('a'),
      nobody.release('a', { owner: 'o' }),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      const reason: unknown = outcome.status === 'rejected' ? outcome.reason : outcome;
      expect(reason).toBeInstanceOf(LockUnreachableError);
      expect((reason as Error).message).toBe(
        `sidecar at 127.0.0.1:${port} can't be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
      );
    }
    await nobody.close();
  });
});

const SEEN = { resourceId: 'a', fencingToken: 1 };

async function use<T>(
  options: Parameters<typeof connect>[0],
  run: (locks: Locks) => Promise<T>,
): Promise<T> {
  const other = connectTo(sidecar.grpcPort, options);
  try {
    return await run(other);
  } finally {
    await other.close();
  }
}
