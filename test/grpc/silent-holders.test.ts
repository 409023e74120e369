import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

import { createLockKeyPrefix } from '../../src/lock/lock-key';
import type { RenewalOutcome } from '../../src/lock/lock-observer';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { eventually } from '../support/eventually';
import { TcpProxy } from '../support/tcp-proxy';
import { GrpcFixture } from './grpc-fixture';

const LOCK = { storeName: 'memory', resourceId: 'r' };

/** PINGs are sent every second, and a lease that is not renewed soon runs out. */
const TTL_MS = 1500;

/** Long before grpc-js's own keepalive would find a client that has gone. */
const SOON = { withinMs: 8000 };

/** Holds the lock, and prints the type and the reason of each event. */
const CLIENT = `
const { Client, credentials } = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');
const [port, proto] = process.argv.slice(1);
const hold = loadSync(proto, { defaults: false, enums: String })['holdfast.v1.Locks'].Hold;
const call = new Client('127.0.0.1:' + port, credentials.createInsecure()).makeServerStreamRequest(
  hold.path, hold.requestSerialize, hold.responseDeserialize,
  { storeName: 'memory', resourceId: 'r', lockOwner: 'o', ttlMs: ${TTL_MS} },
);
call.on('data', (event) => {
  const [type, { reason = '' }] = Object.entries(event)[0];
  console.log((type + ' ' + reason).trim());
});
call.on('error', (error) => console.log('error ' + error.message));
call.on('end', () => console.log('end'));
`;

describe('the client of a hold over gRPC that falls silent', () => {
  let grpc: GrpcFixture;
  let locks: ReturnType<typeof createNativeLockService>;
  let proxy: TcpProxy;
  const clients: ChildProcess[] = [];
  const renewals: RenewalOutcome[] = [];

  beforeEach(async () => {
    const stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    const store = createMemoryStore({ now: () => performance.now() });
    stores.add({ name: 'memory', store, keyPrefix });
    renewals.length = 0;
    const observer = {
      ended: () => undefined,
      renewalEnded: (_store: string, outcome: RenewalOutcome) => renewals.push(outcome),
    };
    locks = createNativeLockService({ stores, appId: 'a', hostName: 'h', observers: [observer] });
    grpc = await new GrpcFixture({ nativeLocks: locks }).start();
    proxy = await TcpProxy.start(grpc.port);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.kill('SIGKILL');
    locks.stop();
    await proxy.stop();
    await grpc.stop();
  });

  const startClient = async () => {
    const proto = path.join(__dirname, '../../proto/holdfast/v1/locks.proto');
    const child = spawn(process.execPath, ['-e', CLIENT, String(proxy.port), proto]);
    clients.push(child);
    const lines: string[] = [];
    child.stdout.on('data', (part: Buffer) => lines.push(...part.toString().trim().split('\n')));
    await eventually(() => {
      expect(lines).toContain('renewed');
    }, SOON);
    return { child, lines };
  };
  const lockNow = () => {
    const caller = { signal: new AbortController().signal, arrivedAtMs: performance.now() };
    return locks.get(LOCK, caller);
  };
  /** Resolves when the lock is free, with what was left of the lease just before. */
  const untilFree = async () => {
    let leftMs = 0;
    await eventually(async () => {
      const lock = await lockNow();
      leftMs = lock?.ttlMs ?? leftMs;
      expect(lock).toBeUndefined();
    }, SOON);
    return leftMs;
  };

  it.each<[string, (client: ChildProcess) => void]>([
    ['is stopped', (client) => client.kill('SIGSTOP')],
    [
      'has lost its network, without any notice',
      () => {
        proxy.dropRequests = true;
        proxy.dropReplies = true;
      },
    ],
  ])('is not renewed for any more where it %s: the lease runs out', async (_how, silence) => {
    const { child } = await startClient();
    silence(child);
    const leftMs = await untilFree();
    // Looked at every 20 ms: a release would have left much of the lease.
    expect(leftMs).toBeLessThan(TTL_MS / 2);
    expect(renewals).toContain('withheld');
  });

  it('learns that its lock was lost where it goes on too late', async () => {
    const { child, lines } = await startClient();
    child.kill('SIGSTOP');
    await untilFree();
    child.kill('SIGCONT');
    await eventually(() => {
      expect(lines.slice(-2)).toEqual(['lost EXPIRED', 'end']);
    });
  });

  it('is renewed for again where it goes on in time', async () => {
    const { child, lines } = await startClient();
    child.kill('SIGSTOP');
    await eventually(() => {
      expect(renewals.at(-1)).toBe('withheld');
    }, SOON);
    child.kill('SIGCONT');
    await eventually(() => {
      expect(renewals.at(-1)).toBe('renewed');
    });
    expect(lines.filter((line) => line !== 'renewed')).toEqual(['held']);
  });
});
