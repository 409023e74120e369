import { once } from 'node:events';
import { connect } from 'node:net';

import { loadDaprService } from '../../src/grpc/proto-files';
import { openSocket } from '../hostile/attack-sockets';
import { AnsweredStreams, body, callHeaders, message, preface } from '../hostile/http2-frames';
import { eventually } from '../support/eventually';
import { SidecarProcess } from '../support/sidecar-process';

const TOKEN = 'schlüssel-鍵-🔑';

const LOCK = { storeName: 'lockstore', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 };

describe('a token beyond ASCII', () => {
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    const args = ['--resources-path', 'components'];
    sidecar = await SidecarProcess.start({ args, env: { DAPR_API_TOKEN: TOKEN } });
  }, 30_000);
  afterAll(async () => {
    await sidecar.stop();
  });

  /** Sends its bytes as they are: clients that take headers for latin1 would not. */
  const overHttp = async (token: string): Promise<string> => {
    const socket = connect(sidecar.httpPort, '127.0.0.1');
    const requestBody = JSON.stringify(LOCK);
    const head = [
      'POST /v1.0-alpha1/lock/lockstore HTTP/1.1',
      'host: x',
      'connection: close',
      `dapr-api-token: ${token}`,
      `content-length: ${requestBody.length}`,
    ];
    let answer = '';
    socket.on('data', (part: Buffer) => (answer += part.toString()));
    socket.write(`${head.join('\r\n')}\r\n\r\n${requestBody}`);
    await once(socket, 'end');
    return answer.split('\r\n')[0]!;
  };

  /** True where the call is answered with a message, which a refusal has none of. */
  const overGrpc = async (token: string): Promise<boolean> => {
    const { path, requestSerialize } = loadDaprService().TryLockAlpha1!;
    const socket = await openSocket(sidecar.grpcPort);
    const answers = new AnsweredStreams(socket);
    socket.write(preface());
    socket.write(callHeaders(1, path, { 'dapr-api-token': token }));
    socket.write(body(1, message(requestSerialize(LOCK)), true));
    await eventually(() => {
      expect(answers.ended).toContain(1);
    });
    socket.destroy();
    return answers.ids.has(1);
  };

  it('is taken over HTTP as its UTF-8 bytes, and no other is', async () => {
    await expect(overHttp(TOKEN)).resolves.toContain('200');
    await expect(overHttp('schlüssel-鍵-🔒')).resolves.toContain('401');
    await expect(overHttp('schl?ssel-?-??')).resolves.toContain('401');
  });

  it('is taken over gRPC as its UTF-8 bytes, and no other is', async () => {
    await expect(overGrpc(TOKEN)).resolves.toBe(true);
    await expect(overGrpc('schlüssel-鍵-🔒')).resolves.toBe(false);
    await expect(overGrpc('schl?ssel-?-??')).resolves.toBe(false);
  });
});
