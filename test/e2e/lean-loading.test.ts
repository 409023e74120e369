import path from 'node:path';

import { Client, credentials } from '@grpc/grpc-js';

import { writeComponent } from '../support/component-files';
import { eventually } from '../support/eventually';
import { callDaprOver } from '../support/grpc-call';
import { NativeGrpcClient } from '../support/native-clients';
import { SidecarProcess } from '../support/sidecar-process';

const TELLING = path.join(__dirname, '../support/print-late-modules.js');
const LOCK = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 10 };

/** What a sidecar with a gRPC server has loaded after a lock, a hold and a health check. */
async function findLoaded(server: string): Promise<readonly string[]> {
  const folder = await writeComponent({ type: 'lock.in-memory' });
  const sidecar = await SidecarProcess.start({
    args: ['--grpc-server', server, '--resources-path', folder],
    env: { NODE_OPTIONS: `--require ${TELLING}` },
  });
  await serve(`127.0.0.1:${sidecar.grpcPort}`);
  await sidecar.stop();
  return /^loaded: (.*)$/m.exec(sidecar.stderr)?.[1]?.split(' ') ?? [];
}

async function serve(target: string): Promise<void> {
  const client = new Client(target, credentials.createInsecure());
  const native = new NativeGrpcClient(target);
  try {
    const lock = { method: 'TryLockAlpha1', message: LOCK };
    await expect(callDaprOver(client, lock)).resolves.toMatchObject({ success: true });
    const hold = native.hold({
      storeName: 'lockstore',
      resourceId: 'h',
      lockOwner: 'o',
      ttlMs: 10_000,
    });
    await eventually(() => {
      expect(hold.told).toEqual(['held']);
    });
    await expect(checkHealth(client)).resolves.toEqual(Buffer.from([8, 1]));
  } finally {
    native.close();
    client.close();
  }
}

function checkHealth(client: Client): Promise<Buffer | undefined> {
  const keep = (bytes: Buffer) => bytes;
  const nothing = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const method = '/grpc.health.v1.Health/Check';
    client.makeUnaryRequest(method, keep, keep, nothing, (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}

/** `list_services: "*"` (grpc/reflection/v1/reflection.proto). */
const LIST_SERVICES = Buffer.from([0x3a, 1, 0x2a]);

/** What reflection answers, as text: the names of services are in it. */
function listServices(target: string): Promise<string> {
  const client = new Client(target, credentials.createInsecure());
  const keep = (bytes: Buffer) => bytes;
  return new Promise<string>((resolve, reject) => {
    const method = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const call = client.makeBidiStreamRequest(method, keep, keep);
    call.on('data', (answer: Buffer) => {
      resolve(answer.toString());
      call.end();
    });
    call.on('error', reject);
    call.write(LIST_SERVICES);
  }).finally(() => {
    client.close();
  });
}

describe('reflection of the built program, which loads grpc-js late', () => {
  it.each(['lean', 'grpc-js'])('lists the services with the server %s', async (server) => {
    const sidecar = await SidecarProcess.start({ args: ['--grpc-server', server] });
    const services = listServices(`127.0.0.1:${sidecar.grpcPort}`);
    await services.finally(() => sidecar.stop());
    expect(await services).toContain('dapr.proto.runtime.v1.Dapr');
  });
});

describe('a sidecar that served a lock, a hold and a health check', () => {
  const isHeavy = (name: string) => /node:(?:internal\/)?http2|\/dist\/grpc\.js$/.test(name);

  it('has loaded neither grpc-js, proto-loader nor node:http2 with its own server', async () => {
    const loaded = await findLoaded('lean');
    expect(loaded).toContain('node:net');
    expect(loaded.filter(isHeavy)).toEqual([]);
  });

  it('has loaded them with grpc-js, so that this test can tell', async () => {
    const loaded = (await findLoaded('grpc-js')).filter(isHeavy);
    expect(loaded).toContain('node:http2');
    expect(loaded.some((name) => name.endsWith('/dist/grpc.js'))).toBe(true);
  });
});
