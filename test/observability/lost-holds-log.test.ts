import { createLockLog } from '../../src/observability/lock-log';
import { ManualClock } from '../support/manual-clock';
import { RecordingLogger } from '../support/recording-logger';

const LOSS = {
  storeName: 'store',
  resourceId: 'the-resource',
  lockOwner: 'the-owner',
  fencingToken: 7,
  outcome: 'lost',
  lostBy: 'STORE_UNREACHABLE',
  heldMs: 1000,
} as const;

describe('the log of lost holds', () => {
  const clock = new ManualClock();
  let logger: RecordingLogger;

  beforeEach(() => {
    logger = new RecordingLogger();
  });

  const linesAt = (level: string) => logger.lines.filter((line) => line.level === level);

  it('tells of a lost lock at warning, and which it was at debug only', () => {
    createLockLog(logger, { clock }).holdEnded?.(LOSS);
    expect(JSON.stringify(linesAt('warn'))).not.toMatch(/the-(resource|owner)/);
    expect(logger.messages('warn')).toEqual([
      'A held lock of store was lost: the lease ended while the store could not be reached',
    ]);
    expect(JSON.stringify(linesAt('debug'))).toMatch(/the-resource.*the-owner/);
  });

  it('tells of thousands in two lines, and leaves no timer behind', () => {
    const log = createLockLog(logger, { clock });
    for (let index = 0; index < 5000; index += 1) log.holdEnded?.(LOSS);
    clock.pass(30_000);
    expect(logger.messages('warn')).toHaveLength(2);
    expect(logger.messages('warn')[1]).toContain('4999 more');
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['failed', 'the store did not renew it'],
    ['withheld', 'its client does not read, or does not answer'],
  ] as const)('tells of renewals that are %s, in few lines', (outcome, words) => {
    const log = createLockLog(logger, { clock });
    for (let index = 0; index < 50; index += 1) log.renewalEnded?.('store', outcome);
    clock.pass(30_000);
    const message = `A held lock of store is not renewed: ${words}`;
    expect(logger.messages('warn')).toEqual([
      message,
      `${message}; 49 more since the last message`,
    ]);
    expect(clock.timers).toBe(0);
  });

  it.each(['renewed', 'gone'] as const)('says nothing of a renewal that is %s', (outcome) => {
    createLockLog(logger, { clock }).renewalEnded?.('store', outcome);
    expect(logger.lines).toEqual([]);
  });

  it.each(['released', 'abandoned'] as const)('says nothing of a hold that was %s', (outcome) => {
    createLockLog(logger, { clock }).holdEnded?.({ ...LOSS, outcome, lostBy: undefined });
    expect(logger.lines).toEqual([]);
  });

  it('tells of each forced release with its reason, and of its resource at debug only', () => {
    const report = { storeName: 'store', resourceId: 'the-resource', fencingToken: 7 };
    createLockLog(logger, { clock }).forceReleased?.({ ...report, reason: 'pod is gone' });
    expect(logger.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'A lock was released by force',
        fields: { store: 'store', fencingToken: 7, reason: 'pod is gone' },
      }),
      expect.objectContaining({ level: 'debug' }),
    ]);
  });
});
