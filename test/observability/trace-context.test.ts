import { findBaggageProblem } from '../../src/observability/baggage';
import {
  createUnsampledTrace,
  parseTraceBin,
  parseTraceparent,
  toTraceBin,
  toTraceparent,
} from '../../src/observability/trace-context';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it.each([
    [`00-${TRACE_ID}-${SPAN_ID}-01`, `00-${TRACE_ID}-${SPAN_ID}-01`],
    [`00-${TRACE_ID}-${SPAN_ID}-00`, `00-${TRACE_ID}-${SPAN_ID}-00`],
    // Of a later version what is known is read, and flags that are not known are dropped.
    [`cc-${TRACE_ID}-${SPAN_ID}-ff-what`, `00-${TRACE_ID}-${SPAN_ID}-01`],
  ])('%s is read as %s', (header, written) => {
    expect(toTraceparent(parseTraceparent(header)!)).toBe(written);
  });

  it.each([
    'junk',
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-01-what`,
    `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
  ])('%s is none', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('a grpc-trace-bin', () => {
  const bytes = Buffer.from(`0000${TRACE_ID}01${SPAN_ID}0201`, 'hex');

  it('is read and written back', () => {
    expect(toTraceBin(parseTraceBin(bytes)!)).toEqual(bytes);
  });

  it.each([
    ['too short', bytes.subarray(0, 28)],
    ['of another version', Buffer.concat([Buffer.from([1]), bytes.subarray(1)])],
    ['of zeros', Buffer.concat([Buffer.alloc(18), bytes.subarray(18)])],
  ])('that is %s is none', (_what, broken) => {
    expect(parseTraceBin(broken)).toBeUndefined();
  });
});

describe('a baggage header', () => {
  it.each(['a=1', 'a=1,b=2;p;q=r', ' a = 1 ', 'a='])('%s is sound', (header) => {
    expect(findBaggageProblem(header)).toBeUndefined();
  });

  it.each([
    ['a', 'member 1 is not of the form name=value'],
    ['a=1,,b=2', 'member 2 is not of the form name=value'],
    ['a=sp ace', 'member 1 is not of the form name=value'],
    [`a=${'x'.repeat(9000)}`, 'more than 8192 bytes'],
    [Array.from({ length: 65 }, () => 'a=1').join(), 'more than 64 members'],
  ])('%s is not', (header, problem) => {
    expect(findBaggageProblem(header)).toBe(problem);
  });
});

describe('a trace that nobody samples', () => {
  it('has ids of its own that can be read back', () => {
    const traces = Array.from({ length: 1000 }, () => createUnsampledTrace());
    for (const trace of traces) expect(parseTraceparent(toTraceparent(trace))).toEqual(trace);
    expect(new Set(traces.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).toBe(2000);
  });
});
