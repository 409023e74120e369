import { spawn } from 'node:child_process';

import { Client, credentials } from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';
import { eventually } from '../support/eventually';
import { SidecarProcess } from '../support/sidecar-process';
import { linesOf, SHOWN, takesLock, toPorts } from './native-api-page';

describe('docs/native-api.md', () => {
  let sidecar: SidecarProcess;
  beforeAll(async () => {
    sidecar = await SidecarProcess.start({ args: ['--resources-path', 'components'] });
  });
  afterAll(() => sidecar.stop());
  afterEach(async () => {
    const [, line] = linesOf('curl').find(([call]) => call === 'Release')!;
    await runCurl(line);
  });

  /** Takes the lock that the page's calls are about, for all but those that take one. */
  const prepare = async (call: string) => {
    if (takesLock(call)) return;
    const [, line] = linesOf('curl')[0]!;
    await runCurl(line);
  };

  /** Runs a line as it stands, and ends it once it has printed something. */
  const runCurl = async (line: string) => {
    const child = spawn('bash', ['-c', `exec ${toPorts(line, sidecar)}`]);
    // It may end by itself before it is ended.
    const closed = new Promise((resolve) => child.once('close', resolve));
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    await eventually(() => {
      expect(output).not.toBe('');
    });
    child.kill('SIGKILL');
    await closed;
    return output;
  };

  /**
   * Makes the call of a line of grpcurl, whose messages are the JSON form of those of the proto file. The real one is
   * run by test/interop/native/surface.
   */
  const runGrpcurl = (line: string) => {
    const [, json = '', service = '', name = ''] = /-d '(.+)' \S+ (\S+)\/(\w+)$/.exec(line) ?? [];
    expect(service).toBe('holdfast.v1.Locks');
    const client = new Client(`127.0.0.1:${sidecar.grpcPort}`, credentials.createInsecure());
    const { path: target, requestSerialize, responseDeserialize } = loadNativeService()[name]!;
    const request = JSON.parse(json) as object;
    const call = client.makeServerStreamRequest(
      target,
      requestSerialize,
      responseDeserialize,
      request,
    );
    return new Promise<string>((resolve, reject) => {
      call.once('data', (message: object) => {
        resolve(JSON.stringify(message));
        call.cancel();
      });
      call.on('error', reject);
    }).finally(() => {
      client.close();
    });
  };

  it('shows each call by curl and by grpcurl', () => {
    const calls = Object.keys(loadNativeService()).sort();
    expect(Object.keys(SHOWN).sort()).toEqual(calls);
    expect(linesOf('curl').map(([call]) => call)).toHaveLength(calls.length);
    expect(linesOf('grpcurl').map(([call]) => call)).toHaveLength(calls.length);
  });

  it.each(linesOf('curl'))('has a line of curl that works for %s', async (call, line) => {
    await prepare(call);
    expect(await runCurl(line)).toMatch(SHOWN[call]!);
  });

  it.each(linesOf('grpcurl'))('has a line of grpcurl that works for %s', async (call, line) => {
    await prepare(call);
    expect(await runGrpcurl(line)).toMatch(SHOWN[call]!);
  });

  it('releases the lock of a hold as soon as its curl is killed', async () => {
    const [, line] = linesOf('curl').find(([call]) => call === 'Hold')!;
    const target = `http://127.0.0.1:${sidecar.httpPort}/holdfast/v1/locks/lockstore`;
    await expect(runCurl(line)).resolves.toContain('"held"');
    await eventually(
      async () => {
        const { status } = await fetch(`${target}/lock?resourceId=backup`);
        expect(status).toBe(404);
      },
      { withinMs: 2000 },
    );
  });
});
