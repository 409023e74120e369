import type { ApiCall } from '../../src/api/api-observer';
import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { ApiObservation } from '../../src/observability/api-observation';
import type { Tracer } from '../../src/observability/tracer';
import { RecordingLogger } from '../support/recording-logger';

const settingsOf = (samplingRate: string | undefined) => ({
  ...DEFAULT_CONFIGURATION,
  tracing: { ...DEFAULT_CONFIGURATION.tracing, samplingRate },
});

describe('ApiObservation', () => {
  const call = {
    protocol: 'http',
    path: '/v1.0/metadata',
    header: () => undefined,
    binary: () => undefined,
  } as unknown as ApiCall;
  const createTracer = jest.fn<Promise<Tracer>, []>();
  const tracerOf = (close: () => Promise<void>) => ({
    start: jest.fn(() => ({
      context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: 1, traceState: undefined },
      addLock: () => undefined,
      begin: () => undefined,
      end: () => undefined,
    })),
    close: jest.fn(close),
  });
  let logger: RecordingLogger;
  let observation: ApiObservation;
  beforeEach(() => {
    createTracer.mockReset();
    logger = new RecordingLogger();
    observation = new ApiObservation({ createTracer, metrics: undefined, logger });
  });

  it('stays as it was where a tracer can not be made, and tries again', async () => {
    const first = tracerOf(() => Promise.resolve());
    createTracer.mockResolvedValueOnce(first);
    await observation.configure(settingsOf('1'));
    createTracer.mockRejectedValueOnce(new Error('no such exporter'));
    await expect(observation.configure(settingsOf('0.5'))).rejects.toThrow('no such exporter');
    observation.begin(call);
    expect(first.start).toHaveBeenCalled();
    expect(first.close).not.toHaveBeenCalled();
    createTracer.mockResolvedValueOnce(tracerOf(() => Promise.resolve()));
    await observation.configure(settingsOf('0.5'));
    expect(createTracer).toHaveBeenCalledTimes(3);
    expect(first.close).toHaveBeenCalled();
  });

  it('does not wait for the spans of a tracer that is replaced, but at its own end', async () => {
    let finish: () => void = () => undefined;
    const slow = tracerOf(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    createTracer.mockResolvedValueOnce(slow);
    await observation.configure(settingsOf('1'));
    await observation.configure(settingsOf('0'));
    expect(slow.close).toHaveBeenCalled();
    let isClosed = false;
    const closed = observation.close().then(() => {
      isClosed = true;
    });
    await Promise.resolve();
    expect(isClosed).toBe(false);
    finish();
    await closed;
  });

  it('says where a replaced tracer could not send its spans', async () => {
    const failing = tracerOf(() => Promise.reject(new Error('unreachable')));
    createTracer.mockResolvedValueOnce(failing);
    await observation.configure(settingsOf('1'));
    await observation.configure(settingsOf(undefined));
    await observation.close();
    expect(logger.messages('warn')).toEqual(['Spans could not be sent: unreachable']);
  });
});
