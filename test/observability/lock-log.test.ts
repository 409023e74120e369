import { lockErrors } from '../../src/lock/lock-errors';
import { LockKeyError } from '../../src/lock/lock-key';
import { StoreError } from '../../src/lock/lock-store';
import { createLockLog } from '../../src/observability/lock-log';
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
  it('warns of overload, and not with each call that is refused', () => {
    const logger = new RecordingLogger();
    const log = createLockLog(logger);
    const error = lockErrors.overloaded(1000);
    for (let call = 0; call < 3; call += 1) log.ended({ ...subject, outcome: 'overloaded', error });
    expect(logger.messages('warn')).toEqual([
      `Overloaded, lock calls are refused: ${error.message}`,
    ]);
  });

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
