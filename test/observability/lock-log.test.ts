import { lockErrors } from '../../src/lock/lock-errors';
import { LockKeyError } from '../../src/lock/lock-key';
import type { LockCallReport, LockObserver } from '../../src/lock/lock-observer';
import { StoreError } from '../../src/lock/lock-store';
import { createLockLog } from '../../src/observability/lock-log';
import { ManualClock } from '../support/manual-clock';
import { RecordingLogger } from '../support/recording-logger';

const subject = {
  operation: 'tryLock',
  storeName: 'lockstore',
  resourceId: 'the-resource',
  lockOwner: 'the-owner',
  isKnownStore: true,
  durationMs: 1,
} as const;

function log(cause: unknown): RecordingLogger {
  const logger = new RecordingLogger();
  const error = lockErrors.tryLockFailed('reason', cause);
  createLockLog(logger).ended({ ...subject, outcome: 'error', error });
  return logger;
}

describe('createLockLog', () => {
  it('tells at debug who got what', () => {
    const logger = new RecordingLogger();
    createLockLog(logger).ended({ ...subject, outcome: 'acquired' });
    expect(logger.lines).toEqual([
      expect.objectContaining({
        level: 'debug',
        message: 'tryLock',
        fields: {
          store: 'lockstore',
          resource: 'the-resource',
          owner: 'the-owner',
          outcome: 'acquired',
        },
      }),
    ]);
  });

  it("tells of a store's failure at debug, as daprd does, with what lay under it", () => {
    const cause = new StoreError('away', {
      kind: 'unavailable',
      outcome: 'unknown',
      cause: new Error('ECONNRESET'),
    });
    expect(log(cause).lines).toEqual([
      expect.objectContaining({ level: 'warn' }),
      expect.objectContaining({
        level: 'debug',
        message: 'api error: failed to try acquiring lock: reason',
        fields: expect.objectContaining({ cause: 'unavailable, unknown: ECONNRESET' }) as unknown,
      }),
    ]);
  });

  it.each([
    ['a bad request', undefined],
    ['a resource that is no key', new LockKeyError('a||b')],
    ['a store failure', new StoreError('closed', { kind: 'closed', outcome: 'not-applied' })],
  ])('does not take %s for a defect', (_name, cause) => {
    expect(log(cause).messages('error')).toEqual([]);
  });

  it.each([new TypeError('x is not a function'), 'a thrown string'])(
    'logs the defect %s at error',
    (cause) => {
      expect(log(cause).messages('error')[0]).toContain('tryLock failed unexpectedly: ');
    },
  );

  it('shows owner and resource at no level above debug', () => {
    const logger = log(new TypeError('defect'));
    const above = logger.lines.filter(({ level }) => level !== 'debug');
    expect(JSON.stringify(above)).not.toMatch(/the-owner|the-resource/);
  });
});

describe('lock calls that fail', () => {
  let logger: RecordingLogger;
  let clock: ManualClock;
  let observer: LockObserver;
  beforeEach(() => {
    logger = new RecordingLogger();
    clock = new ManualClock();
    observer = createLockLog(logger, { clock });
  });

  const unavailable = new StoreError("Redis can't be reached: WRONGPASS invalid password", {
    kind: 'unavailable',
    outcome: 'not-applied',
  });
  const fail = (cause: StoreError = unavailable, other: Partial<LockCallReport> = {}): void => {
    const error = lockErrors.tryLockFailed(cause.message, cause);
    const outcome = cause.outcome === 'unknown' ? 'unknown' : 'error';
    observer.ended({ ...subject, outcome, error, ...other });
  };
  const succeed = (other: Partial<LockCallReport> = {}): void => {
    observer.ended({ ...subject, outcome: 'refused', ...other });
  };
  const above = () => logger.lines.filter(({ level }) => level !== 'debug');

  it('are told once with the reason, then as a number, and when it is over', () => {
    for (let call = 0; call < 340; call += 1) fail();
    clock.pass(12_000);
    succeed();
    const fields = { store: 'lockstore', kind: 'error, unavailable' };
    const reason = "Redis can't be reached: WRONGPASS invalid password";
    expect(above()).toEqual([
      {
        level: 'warn',
        scope: 'root',
        message: `Lock calls to lockstore fail: ${reason}`,
        fields: { ...fields, calls: 1 },
      },
      {
        level: 'warn',
        scope: 'root',
        message: `Lock calls to lockstore fail: ${reason}; 339 more since the last message`,
        fields: { ...fields, calls: 339 },
      },
      {
        level: 'info',
        scope: 'root',
        message: `Lock calls to lockstore fail: ended after 12.0 s, 340 calls failed (${reason})`,
        fields: { ...fields, calls: 340 },
      },
    ]);
  });

  it('are told of by store and kind', () => {
    const forbidden = new StoreError('the Redis user lacks a permission: NOPERM …', {
      kind: 'rejected',
      outcome: 'not-applied',
      reason: 'the Redis user lacks a permission',
    });
    const lost = new StoreError(
      'Redis did not reply within 3000 ms, the outcome is unknown: a lock may exist until 2026-01-01T00:00:00.000Z at the latest',
      { kind: 'deadline', outcome: 'unknown' },
    );
    for (const cause of [unavailable, forbidden, lost, lost]) fail(cause);
    fail(unavailable, { storeName: 'other' });
    expect(logger.messages('warn')).toEqual([
      "Lock calls to lockstore fail: Redis can't be reached: WRONGPASS invalid password",
      'Lock calls to lockstore fail: the Redis user lacks a permission: NOPERM …',
      'Lock calls to lockstore have an unknown outcome: Redis did not reply within 3000 ms, the outcome is unknown',
      "Lock calls to other fail: Redis can't be reached: WRONGPASS invalid password",
    ]);
    succeed({ storeName: 'other' });
    expect(logger.messages('info')).toHaveLength(1);
  });

  it('are over for an operation only once that one succeeds', () => {
    fail(unavailable, { operation: 'unlock' });
    succeed();
    expect(logger.messages('info')).toEqual([]);
    succeed({ operation: 'unlock', outcome: 'not_found' });
    expect(logger.messages('info')).toHaveLength(1);
  });

  it.each([
    ['a bad request', lockErrors.resourceIdEmpty('lockstore'), true],
    ['a name that no store has', lockErrors.storeNotFound('x'), false],
    ['no key', lockErrors.tryLockFailed('two pipes', new LockKeyError('a||b')), true],
  ])('are not told of where the client is wrong: %s', (_name, error, isKnownStore) => {
    observer.ended({ ...subject, isKnownStore, outcome: 'error', error });
    expect(above()).toEqual([]);
  });

  it('are told of where no store is configured', () => {
    const error = lockErrors.storesNotConfigured();
    observer.ended({ ...subject, isKnownStore: false, outcome: 'error', error });
    expect(logger.messages('warn')).toEqual(['Lock calls fail: lock store is not configured']);
  });

  it('for overload are told of with the first, and over once it is quiet', () => {
    const error = lockErrors.overloaded(1000);
    for (let call = 0; call < 3; call += 1) {
      observer.ended({ ...subject, outcome: 'overloaded', error });
      succeed();
    }
    expect(logger.messages('warn')).toEqual([
      `Overloaded, lock calls are refused (--max-concurrent-lock-calls): ${error.message}`,
    ]);
    clock.pass(20_000);
    expect(logger.messages('warn')).toHaveLength(2);
    expect(logger.messages('info')).toHaveLength(1);
  });

  it('for overload name the bound that was reached', () => {
    for (const error of [lockErrors.tooManyWaits(5), lockErrors.tooManyHolds(6)]) {
      observer.ended({ ...subject, operation: 'hold', outcome: 'overloaded', error });
    }
    expect(logger.messages('warn')).toEqual([
      expect.stringContaining('(--max-lock-waits): the limit of 5'),
      expect.stringContaining('(--max-lock-holds): the limit of 6'),
    ]);
  });

  it('name no resource, whatever the server says', () => {
    const message =
      "ACL failure in script: no permissions to access the 'lock||a||the-resource' key";
    fail(new StoreError(message, { kind: 'rejected', outcome: 'not-applied' }));
    expect(logger.messages('warn')).toEqual(['Lock calls to lockstore fail: rejected']);
  });

  it('are told of in the log of their store, which hides its secrets', () => {
    const own = new RecordingLogger();
    const loggerOf = (store: string) => (store === 'lockstore' ? own : undefined);
    observer = createLockLog(logger, { clock, loggerOf });
    fail();
    expect(own.messages('warn')).toHaveLength(1);
    expect(logger.lines).toEqual([]);
  });

  it('leave nothing behind once they are over', () => {
    fail();
    succeed();
    clock.pass(10_000);
    expect(clock.timers).toBe(0);
    fail();
    expect(logger.messages('warn')).toHaveLength(2);
  });
});
