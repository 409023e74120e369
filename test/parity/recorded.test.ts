import { writeComponent } from '../support/component-files';
import { callDapr, type GrpcAnswer } from '../support/grpc-call';
import { callHttp, type HttpAnswer } from '../support/http-call';
import { type RedisServer, startRedisServer } from '../support/redis-server';
import { SidecarProcess } from '../support/sidecar-process';
import { type GrpcRow, type HttpRow, loadRecordedRows } from './recorded-rows';

/**
 * The part that may differ: the text after this sentence is Go protobuf's, and not even stable between its
 * builds.
 */
const FREE_TEXT = /(failed deserializing HTTP body: ).*(?="\}$)/;

/** The message headers of a gRPC error that are the library's own, not the answer's. */
const LIBRARY_TRAILERS = new Set(['content-type', 'date']);

describe.each(['lock.redis', 'lock.in-memory'])('the recorded answers of daprd on %s', (type) => {
  const rows = loadRecordedRows();
  let redis: RedisServer;
  let sidecar: SidecarProcess;
  let matched = 0;

  beforeAll(async () => {
    redis = await startRedisServer();
    const metadata = type === 'lock.redis' ? { redisHost: `127.0.0.1:${redis.port}` } : {};
    const folder = await writeComponent({ type, metadata });
    sidecar = await SidecarProcess.start({ args: ['--resources-path', folder] });
  });
  afterAll(async () => {
    await sidecar.stop();
    await redis.stop();
    process.stdout.write(`parity on ${type}: ${matched} of ${rows.length} rows match\n`);
  });

  // The rows build on each other: they run in their order, on one sidecar.
  it.each(rows.map((row) => [row.transport, row.name, row] as const))(
    '%s: %s',
    async (_transport, _name, row) => {
      if (row.transport === 'http') await expectHttp(sidecar.httpPort, row);
      else await expectGrpc(sidecar.grpcPort, row);
      matched += 1;
    },
  );

  it('match every one', () => {
    expect(matched).toBe(85);
  });
});

async function expectHttp(port: number, row: HttpRow): Promise<void> {
  const { status, headers, body } = row.answer;
  const answer = await callHttp(port, row.request);
  expect(comparable(answer, headers.traceparent === 'PRESENT')).toEqual({
    status,
    contentType: headers['content-type'],
    traceparent: headers.traceparent,
    body: withoutFreeText(body),
  });
}

/** A trace that is the sidecar's own choice was recorded as being there. */
function comparable({ status, headers, body }: HttpAnswer, isOwnTrace: boolean) {
  const { traceparent } = headers;
  return {
    status,
    contentType: headers['content-type'],
    traceparent: isOwnTrace && traceparent !== undefined ? 'PRESENT' : traceparent,
    body: withoutFreeText(body),
  };
}

function withoutFreeText(body: string): string {
  return body.replace(FREE_TEXT, '$1…');
}

async function expectGrpc(port: number, row: GrpcRow): Promise<void> {
  const { res, code, details, meta } = row.answer;
  const answer = await callDapr(port, row.request);
  expect(withoutLibraryTrailers(answer)).toEqual(
    res === undefined ? { code, details, trailers: meta } : { response: res },
  );
}

function withoutLibraryTrailers(answer: GrpcAnswer): GrpcAnswer {
  if (answer.trailers === undefined) return answer;
  return { ...answer, trailers: answer.trailers.filter((name) => !LIBRARY_TRAILERS.has(name)) };
}
