import type { ApiCall } from '../../src/api/api-observer';
import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { ApiObservation } from '../../src/observability/api-observation';
import { RecordingLogger } from '../support/recording-logger';

const SPAN = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, traceState: undefined };

/** An HTTP call with these headers. */
const createCall = (path: string, headers: Readonly<Record<string, string>> = {}): ApiCall => ({
  protocol: 'http',
  verb: 'GET',
  path,
  target: path,
  method: undefined,
  route: undefined,
  header: (name) => headers[name],
  headerNames: () => Object.keys(headers),
  binary: () => undefined,
  remoteAddress: undefined,
  remotePort: undefined,
  requestBytes: 0,
});

describe('the observation of calls with tracing on', () => {
  let traced: string[];
  let observation: ApiObservation;
  beforeEach(async () => {
    traced = [];
    observation = new ApiObservation({
      createTracer: () =>
        Promise.resolve({
          start: ({ path }) => {
            traced.push(path);
            return {
              context: SPAN,
              addLock: () => undefined,
              begin: () => undefined,
              end: () => undefined,
            };
          },
          close: () => Promise.resolve(),
        }),
      metrics: undefined,
      logger: new RecordingLogger(),
    });
    const tracing = { ...DEFAULT_CONFIGURATION.tracing, samplingRate: '1' };
    await observation.configure({ ...DEFAULT_CONFIGURATION, tracing });
  });

  it('makes a span and says which', () => {
    const { responseHeaders } = observation.begin(createCall('/v1.0/metadata'));
    expect(responseHeaders).toEqual({ traceparent: `00-${SPAN.traceId}-${SPAN.spanId}-01` });
    expect(traced).toEqual(['/v1.0/metadata']);
  });

  it.each(['/v1.0/healthz', '/v1.0/healthz/outbound'])('leaves the probe %s alone', (path) => {
    const headers = { traceparent: `00-${SPAN.traceId}-${SPAN.spanId}-01`, baggage: 'broken' };
    const observed = observation.begin(createCall(path, headers));
    expect(observed).toMatchObject({ responseHeaders: {}, refusal: undefined });
    expect(traced).toEqual([]);
  });

  it.each([
    ['a=1', { baggage: 'a=1' }],
    ['', {}],
    ['a=1,b', {}],
  ])('echoes of the baggage %j no more than is sound', (baggage, echoed) => {
    const { responseHeaders } = observation.begin(createCall('/', { baggage }));
    expect(responseHeaders).toEqual({ ...echoed, traceparent: expect.any(String) as string });
  });
});
