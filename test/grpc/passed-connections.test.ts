import { once } from 'node:events';
import { constants } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

import { eventually } from '../support/eventually';
import { findFreePort } from '../support/free-port';
import { echo, RawUpstream } from '../support/raw-upstream';
import { PassingFixture, STATE } from './passing-fixture';
import { frame, rawCall } from './raw-http2';

describe('the connections of gRPC calls that are passed on', () => {
  const passing = new PassingFixture();
  beforeEach(() => passing.startBehind());
  afterEach(() => passing.stop());

  it('opens another connection where the upstream allows few streams on one', async () => {
    await passing.behind.stop();
    passing.behind = await new RawUpstream(() => undefined, { maxStreams: 10 }).start();
    await passing.start();
    const streams = Array.from({ length: 35 }, () => passing.open());
    await eventually(() => {
      expect(passing.behind.calls).toHaveLength(35);
    });
    expect(passing.behind.connections).toBe(4);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
  });

  it('finishes on a connection that the upstream is closing, and the next one uses another', async () => {
    let finish: (() => void) | undefined;
    passing.behind.answer = (call) => {
      finish = () => {
        echo(call);
      };
    };
    await passing.start();
    const stream = passing.open();
    stream.end(frame('x'));
    await eventually(() => {
      expect(finish).toBeDefined();
    });
    for (const each of passing.behind.sessions)
      each.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
    passing.behind.answer = echo;
    await eventually(async () => {
      const answer = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('y'));
      expect(answer.body).toEqual(frame('y'));
      expect(passing.behind.connections).toBe(2);
    });
    finish?.();
    const [part] = (await once(stream, 'data')) as [Buffer];
    expect(part).toEqual(frame('x'));
    await once(stream, 'end');
  });

  it('refuses a call that the upstream has not processed when it goes away, so that clients repeat it', async () => {
    passing.behind.answer = ({ stream }) => {
      if (passing.behind.calls.length === 2) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    };
    await passing.start();
    const [processed, refused] = [passing.open(), passing.open()];
    for (const stream of [processed, refused]) stream.end(frame('x'));
    await eventually(() => {
      expect(refused.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
    });
    echo(passing.behind.calls[0]!);
    const [part] = (await once(processed, 'data')) as [Buffer];
    expect(part).toEqual(frame('x'));
    passing.behind.answer = echo;
    const again = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('y'));
    expect(again.body).toEqual(frame('y'));
    await eventually(() => {
      expect(passing.upstream.calls.inFlight).toBe(0);
    });
  });

  it('fails with UNAVAILABLE while the upstream is away, and goes on when it is back', async () => {
    await passing.start();
    await passing.behind.stop();
    const { port } = passing.behind;
    const connections = new Set<string>();
    for (let count = 0; count < 50; count += 1) {
      const answer = await rawCall(passing.grpc.port, { ':path': STATE });
      expect(answer.headers['grpc-status']).toBe('14');
      connections.add(decodeURI(String(answer.headers['grpc-message'])));
    }
    expect([...connections]).toEqual([
      `the upstream sidecar at http://127.0.0.1:${port} can't be reached: nothing listens there (ECONNREFUSED); the call was not passed on`,
    ]);
    expect((await passing.grpc.call('TryLockAlpha1', {})).response).toBeDefined();
    passing.behind = await new RawUpstream(echo).start({ port });
    await eventually(async () => {
      const answer = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('x'));
      expect(answer.body).toEqual(frame('x'));
    });
    const lines = passing.logger.lines.filter(({ message }) => message.includes(String(port)));
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('waits no longer than its deadline for an upstream that says nothing', async () => {
    let silence: Socket | undefined;
    const silent = createServer((socket) => {
      silence = socket;
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await passing.start({}, 1000, `127.0.0.1:${port}`);
    const answer = await rawCall(passing.grpc.port, { ':path': STATE, 'grpc-timeout': '50m' });
    expect(answer.headers['grpc-status']).toBe('4');
    // It is not read, so that it would not notice its end.
    silence?.destroy();
    silent.close();
  });

  it('goes to a unix socket', async () => {
    const socket = path.join(tmpdir(), `holdfast-${process.pid}-${await findFreePort()}.sock`);
    const onSocket = await new RawUpstream(echo).start({ path: socket });
    await passing.start({}, 10, `unix://${socket}`);
    const answer = await rawCall(passing.grpc.port, { ':path': STATE }, Buffer.from('x'));
    expect(answer.body).toEqual(frame('x'));
    await onSocket.stop();
  });

  it('shows the services of both by reflection, and those of this one while the other is away', async () => {
    const reflected = async (request: object) => {
      const method = reflectionMethod('v1');
      const client = passing.grpc.client();
      const call = client.makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
      );
      call.write(request);
      call.end();
      const [response] = (await once(call, 'data')) as [
        {
          listServicesResponse?: { service: { name: string }[] };
          fileDescriptorResponse?: object;
          errorResponse?: object;
        },
      ];
      return response;
    };
    const servicesOf = async () =>
      (await reflected({ listServices: '*' })).listServicesResponse?.service.map(
        ({ name }) => name,
      );
    const other = new Server();
    new ReflectionService(
      loadSync(path.join(__dirname, '../fixtures/other.proto'), { keepCase: true }),
    ).addToServer(other);
    const port = await new Promise<number>((resolve, reject) => {
      other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    await passing.start({}, 1000, `127.0.0.1:${port}`);
    const own = ['dapr.proto.runtime.v1.Dapr', 'grpc.health.v1.Health', 'holdfast.v1.Locks'];
    expect(await servicesOf()).toEqual([...own, 'test.v1.Other'].sort());
    for (const symbol of ['test.v1.Other', 'holdfast.v1.Locks']) {
      expect(await reflected({ fileContainingSymbol: symbol })).toHaveProperty(
        'fileDescriptorResponse',
      );
    }
    other.forceShutdown();
    expect((await servicesOf())?.sort()).toEqual(own);
  });
});

function reflectionMethod(version: string) {
  const root = path.dirname(require.resolve('@grpc/reflection/package.json'));
  const types = loadSync(`${root}/build/proto/grpc/reflection/${version}/reflection.proto`);
  const service = types[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
  return service.ServerReflectionInfo!;
}
