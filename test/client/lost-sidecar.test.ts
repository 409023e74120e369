import { LockAtRiskError, LockLostError } from '../../src/client/client-errors';
import { connect } from '../../src/client/connect';
import type { Lock } from '../../src/client/lock';
import type { Locks } from '../../src/client/locks';
import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process';
import { TcpProxy } from '../support/tcp-proxy';

/** A lock's sidecar and its Redis, and what becomes of the lock when they fail. */
let redis: RedisServer;
let options: SidecarProcessOptions;
let sidecar: SidecarProcess;
let locks: Locks;

/** A sidecar takes a second to start on a busy machine: it is kept for the next test where it can be. */
beforeAll(async () => {
  redis = await startRedisServer();
  const metadata = { redisHost: `127.0.0.1:${redis.port}` };
  const folder = await writeComponent({ type: 'lock.redis', metadata });
  options = { args: ['--resources-path', folder] };
  sidecar = await SidecarProcess.start(options);
});

afterAll(async () => {
  await sidecar.stop('SIGKILL');
  await redis.stop();
});

beforeEach(async () => {
  const { exitCode, signalCode } = sidecar.child;
  if (exitCode !== null || signalCode !== null) sidecar = await SidecarProcess.start(options);
  locks = connect({ address: `127.0.0.1:${sidecar.grpcPort}`, apiToken: '' });
});

afterEach(async () => {
  sidecar.child.kill('SIGCONT');
  await locks.close();
});

async function restart(): Promise<void> {
  const { httpPort, grpcPort, metricsPort } = sidecar;
  sidecar = await SidecarProcess.start({
    ...options,
    ports: { httpPort, grpcPort, metricsPort },
  });
}

function untilLost(lock: Lock): Promise<void> {
  return eventually(
    () => {
      expect(lock.lost.reason).toBeInstanceOf(LockLostError);
    },
    { withinMs: 8000 },
  );
}

function ownerInRedis(resource: string): Promise<string | null> {
  return redis.inspect((client) => client.get(`lock||myapp||${resource}`));
}

it('is at risk when its sidecar is killed, and lost before Redis lets go of it', async () => {
  const lock = await locks.hold('killed', { ttlMs: 1000 });
  let lostAtMs = Infinity;
  lock.lost.addEventListener('abort', () => {
    lostAtMs = Date.now();
  });
  await sidecar.stop('SIGKILL');
  const expiry = await redis.expiryOf('lock||myapp||killed');
  await eventually(() => {
    expect(lock.signal.reason).toBeInstanceOf(LockAtRiskError);
  });
  expect(lock.signal.reason).toMatchObject({ reason: 'DISCONNECTED' });
  await untilLost(lock);
  expect(lock.validForMs).toBe(0);
  expect(lostAtMs).toBeLessThanOrEqual(expiry);
  expect(lostAtMs).toBeGreaterThan(expiry - 500);
});

it('goes on where its sidecar was killed and is back in time, as the same grant', async () => {
  const lock = await locks.hold('restarted', { ttlMs: 6000 });
  const expiry = await redis.expiryOf('lock||myapp||restarted');
  await sidecar.stop('SIGKILL');
  await restart();
  await eventually(async () => {
    expect(await redis.expiryOf('lock||myapp||restarted')).toBeGreaterThan(expiry + 100);
  });
  expect((await locks.get('restarted'))?.fencingToken).toBe(lock.token);
  expect(lock.lost.aborted).toBe(false);
  await lock.release();
  expect(await ownerInRedis('restarted')).toBeNull();
});

it('goes on where its sidecar stopped and is back in time', async () => {
  const lock = await locks.hold('stopped', { ttlMs: 6000 });
  expect(await sidecar.stop()).toBe(0);
  await eventually(() => {
    expect(lock.signal.reason).toMatchObject({ reason: 'SIDECAR_STOPPING' });
  });
  await restart();
  await lock.release();
  expect(await ownerInRedis('stopped')).toBeNull();
});

it('is never taken again once it is lost, though its sidecar is back', async () => {
  const lock = await locks.hold('over', { ttlMs: 500 });
  await sidecar.stop('SIGKILL');
  await untilLost(lock);
  await restart();
  await using next = await locks.hold('over', { waitMs: 5000, owner: 'the-next' });
  expect(next.token).toBeGreaterThan(lock.token);
  await expect(lock.release()).rejects.toThrow(LockLostError);
  expect(await ownerInRedis('over')).toBe('the-next');
});

it('is not renewed by a later grant of the same owner', async () => {
  const lock = await locks.hold('same', { ttlMs: 3000, owner: 'same-owner' });
  await sidecar.stop('SIGKILL');
  await redis.inspect((client) => client.set('lock||myapp||same', 'same-owner'));
  await restart();
  await untilLost(lock);
});

it('counts its lease while its sidecar is paused, and stays lost when it goes on', async () => {
  const lock = await locks.hold('paused', { ttlMs: 900 });
  sidecar.child.kill('SIGSTOP');
  await eventually(() => {
    expect(lock.signal.reason).toMatchObject({ reason: 'NOT_RENEWED' });
  });
  expect(lock.validForMs).toBeGreaterThan(0);
  await untilLost(lock);
  sidecar.child.kill('SIGCONT');
  await using next = await locks.hold('paused', { waitMs: 5000 });
  expect(next.token).toBeGreaterThan(lock.token);
  expect(lock.validForMs).toBe(0);
});

it('goes on after a pause that was shorter than the lease', async () => {
  const lock = await locks.hold('short pause', { ttlMs: 5000 });
  const before = lock.validForMs;
  sidecar.child.kill('SIGSTOP');
  await eventually(() => {
    expect(lock.validForMs).toBeLessThan(before - 500);
  });
  sidecar.child.kill('SIGCONT');
  await eventually(() => {
    expect(lock.validForMs).toBeGreaterThan(before - 400);
  });
  await lock.release();
});

it('says that it is at risk and then lost where Redis is gone', async () => {
  const lock = await locks.hold('no redis', { ttlMs: 900 });
  await redis.kill();
  try {
    await untilLost(lock);
    expect(lock.signal.reason).toMatchObject({ reason: 'RENEWAL_FAILED' });
  } finally {
    await redis.start();
  }
});

describe('where the connection breaks and its sidecar lives', () => {
  it('is lost at once: the sidecar releases what its client left', async () => {
    const proxy = await TcpProxy.start(sidecar.grpcPort);
    const through = connect({ address: `127.0.0.1:${proxy.port}`, apiToken: '' });
    const lock = await through.hold('cut', { ttlMs: 60_000 });
    proxy.cut();
    await untilLost(lock);
    expect(await ownerInRedis('cut')).toBeNull();
    await through.close();
    await proxy.stop();
  });
});
