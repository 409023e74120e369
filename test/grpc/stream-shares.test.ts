import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';

import { eventually } from '../support/eventually';
import { GrpcFixture } from './grpc-fixture';

describe('the streams that a gRPC connection may open', () => {
  const sessions: ClientHttp2Session[] = [];
  let grpc: GrpcFixture;

  const start = async (maxConcurrentCalls?: number) => {
    grpc = await new GrpcFixture({ maxConcurrentCalls }).start();
  };
  const open = async (count: number) => {
    const opened = Array.from({ length: count }, () => connect(`http://127.0.0.1:${grpc.port}`));
    sessions.push(...opened);
    await Promise.all(opened.map((session) => once(session, 'remoteSettings')));
  };
  const expectEach = (streams: number) =>
    eventually(() => {
      const told = sessions.map(({ remoteSettings }) => remoteSettings.maxConcurrentStreams);
      expect(new Set(told)).toEqual(new Set([streams]));
    });

  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    await grpc.stop();
  });

  it('are all for one that is alone', async () => {
    await start(1000);
    await open(1);
    await expectEach(2000);
  });

  it('are shared by several, and by those that were there before', async () => {
    await start(1000);
    await open(1);
    await open(3);
    await expectEach(500);
  });

  it('are more again when others have gone', async () => {
    await start(1000);
    await open(4);
    await expectEach(500);
    for (const session of sessions.splice(1)) session.destroy();
    await expectEach(2000);
  });

  it('are never so few that a health watch would take the last', async () => {
    await start(1);
    await open(5);
    await expectEach(8);
  });

  it('are not limited where calls are not', async () => {
    await start(undefined);
    await open(2);
    await expectEach(2 ** 32 - 1);
  });
});
