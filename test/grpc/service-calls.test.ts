import { RawClient } from './differential/answers';
import { GrpcFixture } from './grpc-fixture';

const MESSAGE = Buffer.alloc(5);

let grpc: GrpcFixture;
let client: RawClient;

beforeAll(async () => {
  grpc = await new GrpcFixture().start();
  client = new RawClient(grpc.port);
});
afterAll(async () => {
  client.close();
  await grpc.stop();
});

describe('a call of health checks', () => {
  const call = (method: string, fields: Record<string, string>, pieces: readonly Buffer[]) =>
    client.call({
      path: `/grpc.health.v1.Health/${method}`,
      fields: { 'content-type': 'application/grpc', te: 'trailers', ...fields },
      pieces,
    });

  it.each([
    ['no message', {}, [], '12'],
    ['an incomplete message', {}, [MESSAGE.subarray(0, 4)], '12'],
    ['two messages', {}, [MESSAGE, MESSAGE], '12'],
    ['a deadline that is no time', { 'grpc-timeout': 'soon' }, [MESSAGE], '13'],
  ])('is refused with %s', async (_what, fields, pieces, status) => {
    const { head } = await call('Check', fields, pieces);
    expect(head).toMatchObject({ 'grpc-status': status });
  });

  it('ends at its deadline', async () => {
    const { trailers } = await call('Watch', { 'grpc-timeout': '200m' }, [MESSAGE]);
    expect(trailers).toMatchObject({ 'grpc-status': '4', 'grpc-message': 'Deadline%20exceeded' });
  });
});

describe('a call of reflection', () => {
  const WRONG_MESSAGE = Buffer.from('0000000001ff', 'hex');

  it.each([
    ['at once', [Buffer.concat([MESSAGE, WRONG_MESSAGE])]],
    ['behind two others', [Buffer.concat([MESSAGE, MESSAGE, WRONG_MESSAGE])]],
    ['in pieces', [MESSAGE, ...[...WRONG_MESSAGE].map((byte) => Buffer.from([byte]))]],
  ])('answers what is before a wrong message, and then tells, %s', async (_how, pieces) => {
    const { content, trailers } = await client.call({
      path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      fields: { 'content-type': 'application/grpc', te: 'trailers' },
      pieces,
      staysOpen: true,
    });
    expect(content).not.toBe('');
    expect(trailers).toMatchObject({ 'grpc-status': '13' });
  });
});
