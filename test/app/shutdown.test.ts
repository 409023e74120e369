import { createShutdown, type ShutdownOptions, toCopyWindowMs } from '../../src/app/shutdown';
import { RecordingLogger } from '../support/recording-logger';

describe('createShutdown', () => {
  const logger = new RecordingLogger();
  let exit: jest.Mock;
  let exited: Promise<number>;
  const create = (options: Partial<ShutdownOptions> = {}) =>
    createShutdown({ stop: () => Promise.resolve(), graceMs: 1000, exit, logger, ...options });
  const never = () => new Promise<void>(() => undefined);

  beforeEach(() => {
    logger.lines.length = 0;
    exited = new Promise((resolve) => {
      exit = jest.fn(resolve);
    });
  });

  describe('a signal', () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('%s ends gracefully with 0', async (signal) => {
      create().onSignal(signal);
      await expect(exited).resolves.toBe(0);
      expect(logger.messages('info').at(-1)).toBe('Daprd shutdown gracefully');
    });

    it('ends at once with 1 when it is the second', async () => {
      const shutdown = create({ stop: never, graceMs: undefined });
      shutdown.onSignal('SIGTERM');
      shutdown.onSignal('SIGINT');
      await expect(exited).resolves.toBe(1);
      expect(logger.messages('warn')).toEqual([
        "Received signal 'interrupt' during shutdown; exiting immediately",
      ]);
    });

    it.each([
      [0, 'SIGTERM', false],
      [99, 'SIGTERM', false],
      [100, 'SIGTERM', true],
      [0, 'SIGINT', true],
    ] as const)('under npm, %i ms after SIGTERM, %s ends at once: %s', (laterMs, signal, ends) => {
      let nowMs = 1000;
      const copyWindowMs = toCopyWindowMs({ npm_lifecycle_script: 'exec node dist/main.js' });
      const shutdown = create({ stop: never, graceMs: undefined, copyWindowMs, now: () => nowMs });
      shutdown.onSignal('SIGTERM');
      nowMs += laterMs;
      shutdown.onSignal(signal);
      expect(exit).toHaveBeenCalledTimes(ends ? 1 : 0);
    });

    it('ends with 1 where stopping takes longer than the grace period', async () => {
      create({ stop: never, graceMs: 20 }).onSignal('SIGTERM');
      await expect(exited).resolves.toBe(1);
      expect(logger.messages('error')).toEqual([
        'Graceful shutdown timeout exceeded, forcing shutdown',
      ]);
    });

    it('ends with 1 where stopping fails, and says why', async () => {
      create({ stop: () => Promise.reject(new Error('stuck')) }).onSignal('SIGTERM');
      await expect(exited).resolves.toBe(1);
      expect(logger.messages('error')).toEqual(['Error while shutting down: stuck']);
    });

    it('waits as long as it takes where there is no grace period', async () => {
      let finish: (() => void) | undefined;
      const stop = () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        });
      create({ stop, graceMs: undefined }).onSignal('SIGTERM');
      finish!();
      await expect(exited).resolves.toBe(0);
    });
  });

  describe('a request by the API', () => {
    it('ends gracefully with 0', async () => {
      create().request({ force: false });
      await expect(exited).resolves.toBe(0);
    });

    it('ends with 1 without stopping where it is forced', async () => {
      const stop = jest.fn(never);
      create({ stop }).request({ force: true });
      await expect(exited).resolves.toBe(1);
      expect(stop).not.toHaveBeenCalled();
    });

    it('stops once, however often it is asked', async () => {
      const stop = jest.fn(() => Promise.resolve());
      const shutdown = create({ stop });
      shutdown.request({ force: false });
      shutdown.request({ force: false });
      await exited;
      expect(stop).toHaveBeenCalledTimes(1);
    });
  });

  describe('a failure', () => {
    it('is logged as fatal, everything is closed, and the exit code is 1', async () => {
      const stop = jest.fn(() => Promise.resolve());
      create({ stop }).fail('Fatal error from runtime: no');
      await expect(exited).resolves.toBe(1);
      expect(logger.messages('fatal')).toEqual(['Fatal error from runtime: no']);
      expect(stop).toHaveBeenCalledTimes(1);
    });
  });
});
