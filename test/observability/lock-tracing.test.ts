import type { ApiCall } from '../../src/api/api-observer';
import { Cancellation } from '../../src/base/cancellation';
import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { createLockKeyPrefix } from '../../src/lock/lock-key';
import { createNativeLockService } from '../../src/lock/native/native-locks';
import { StoreCatalog } from '../../src/lock/store-catalog';
import { ApiObservation } from '../../src/observability/api-observation';
import { createOtelTracer } from '../../src/observability/otel-tracer';
import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { SystemAuthorities } from '../../src/trust/system-authorities';
import { eventually } from '../support/eventually';
import { holdUntilEnd } from '../support/hold-until-end';
import { RecordingLogger } from '../support/recording-logger';

const CALL: ApiCall = {
  protocol: 'grpc',
  verb: 'POST',
  path: '/holdfast.v1.Locks/Hold',
  target: '/holdfast.v1.Locks/Hold',
  method: undefined,
  route: undefined,
  header: () => undefined,
  headerNames: () => [],
  binary: () => undefined,
  remoteAddress: undefined,
  remotePort: undefined,
  requestBytes: 0,
};
const LOCK = { storeName: 'memory', resourceId: 'the-resource' };

/** A span as the log shows it. */
interface LoggedSpan {
  readonly name: string;
  readonly trace: string;
  readonly parent: string;
  readonly id: string;
  readonly events: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

describe('the trace of a call that waits and holds', () => {
  let logger: RecordingLogger;
  let observation: ApiObservation;
  let locks: ReturnType<typeof createNativeLockService>;

  const start = async (samplingRate: string) => {
    logger = new RecordingLogger();
    observation = new ApiObservation({
      createTracer: (settings) =>
        createOtelTracer({
          settings,
          appId: 'a',
          environment: {},
          logger,
          showsLockDetails: false,
          authorities: new SystemAuthorities({}),
        }),
      metrics: undefined,
      logger: new RecordingLogger(),
    });
    const tracing = { ...DEFAULT_CONFIGURATION.tracing, samplingRate, stdout: true };
    await observation.configure({ ...DEFAULT_CONFIGURATION, tracing });
    const stores = new StoreCatalog();
    const keyPrefix = createLockKeyPrefix({ keyPrefix: 'none', appId: '', componentName: '' });
    const store = createMemoryStore({ now: () => performance.now() });
    stores.add({ name: 'memory', store, keyPrefix });
    locks = createNativeLockService({ stores, appId: 'a', hostName: 'h', observers: [] });
  };
  afterEach(async () => {
    locks.stop();
    await observation.close();
  });

  /** The spans that have ended, in the order of their ends. */
  const spans = (): readonly LoggedSpan[] =>
    logger.lines.flatMap(({ message, fields }) => {
      const [, name = '', trace = '', parent = '', id = '', events = ''] =
        /^\[(.*?)\] Trace: (\w+) Span: (\w+)\/(\w+) Time: .* Annotations: \[(.*)\]$/.exec(
          message,
        ) ?? [];
      if (name === '') return [];
      const attributes = JSON.parse(String(fields.attributes)) as LoggedSpan['attributes'];
      return [{ name, trace, parent, id, events: events.split(' '), attributes }];
    });

  const hold = (request: { readonly ttlMs: number; readonly waitMs: number }) => {
    const observed = observation.begin(CALL);
    const signal = new Cancellation();
    const told: string[] = [];
    const caller = {
      signal,
      observer: observed.lockObserver,
      arrivedAtMs: performance.now(),
    };
    const sink = { emit: ({ type }: { type: string }) => told.push(type), isWritable: true };
    const named = { ...LOCK, lockOwner: 'the-owner', ...request };
    const ended = holdUntilEnd(locks, named, caller, sink).then(() => {
      observed.end({ status: 0, responseBytes: 0, errorCode: undefined, isLogged: false });
    });
    return { signal, told, ended, sink };
  };

  it('has its wait and its hold as spans, with what happened in them', async () => {
    await start('1');
    const first = hold({ ttlMs: 60_000, waitMs: 0 });
    await eventually(() => {
      expect(first.told).toEqual(['held']);
    });
    const second = hold({ ttlMs: 900, waitMs: 60_000 });
    await eventually(() => {
      expect(second.told).toEqual(['queued']);
    });
    first.signal.abort();
    await first.ended;
    await eventually(() => {
      expect(second.told).toContain('renewed');
    });
    second.sink.isWritable = false;
    await second.ended;

    const named = (name: string) => spans().filter((span) => span.name === name);
    const [firstHold, secondHold] = named('lock hold');
    const [firstCall, secondCall] = named(CALL.path);
    const [wait] = named('lock wait');
    expect(firstHold).toMatchObject({
      name: 'lock hold',
      parent: firstCall?.id,
      trace: firstCall?.trace,
      events: ['held'],
      attributes: { 'dapr.lock.store': 'memory', 'dapr.lock.outcome': 'released' },
    });
    expect(wait).toMatchObject({
      name: 'lock wait',
      parent: secondCall?.id,
      events: ['queued', 'woken'],
      attributes: { 'dapr.lock.store': 'memory', 'dapr.lock.outcome': 'granted' },
    });
    expect(secondHold).toMatchObject({
      name: 'lock hold',
      parent: secondCall?.id,
      attributes: { 'dapr.lock.outcome': 'lost' },
    });
    expect([...new Set(secondHold?.events)]).toEqual(['held', 'renewed', 'withheld', 'lost']);
    expect(secondCall).toMatchObject({
      name: CALL.path,
      attributes: { 'dapr.lock.store': 'memory', 'dapr.lock.outcome': 'lost' },
    });
    expect(spans()).toHaveLength(5);
    expect(JSON.stringify(logger.lines)).not.toMatch(/the-owner|the-resource|fencing/i);
  });

  it('has none of them where the call is not sampled', async () => {
    await start('0.0000001');
    const held = hold({ ttlMs: 60_000, waitMs: 1000 });
    await eventually(() => {
      expect(held.told).toEqual(['held']);
    });
    held.signal.abort();
    await held.ended;
    expect(spans()).toEqual([]);
  });
});
