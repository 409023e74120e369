/** Calls the test service by grpc-js: PORT STREAMS BYTES. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';

import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';

const SERVICE = '/grpc.testing.TestService/';
/** StreamingOutputCallRequest with one response parameter: 100 bytes. */
const ASKS_FOR_100_BYTES = Buffer.from([0x12, 2, 0x08, 100]);

const keep = (bytes: Buffer) => bytes;

function varint(number: number): Buffer {
  const parts: number[] = [];
  let rest = number;
  for (; rest > 127; rest >>= 7) parts.push((rest & 127) | 128);
  return Buffer.from([...parts, rest]);
}

function withLength(key: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([key]), varint(content.length), content]);
}

/** A stream after its first answer. */
async function open(client: Client): Promise<ClientDuplexStream<Buffer, Buffer>> {
  const call = client.makeBidiStreamRequest(`${SERVICE}FullDuplexCall`, keep, keep);
  call.write(ASKS_FOR_100_BYTES);
  const [answer] = (await once(call, 'data')) as [Buffer];
  assert(answer.length > 100);
  return call;
}

async function end(call: ClientDuplexStream<Buffer, Buffer>): Promise<void> {
  call.end();
  const [{ code }] = (await once(call, 'status')) as [{ readonly code: number }];
  assert.equal(code, 0);
}

async function main([port = 0, streams = 0, size = 0]: readonly number[]): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const calls = await Promise.all(Array.from({ length: streams }, () => open(client)));
  await Promise.all(calls.map(end));

  // SimpleRequest with its response size and payload.
  const payload = withLength(0x1a, withLength(0x12, Buffer.alloc(size)));
  const request = Buffer.concat([Buffer.from([0x10]), varint(size), payload]);
  const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
    client.makeUnaryRequest(`${SERVICE}UnaryCall`, keep, keep, request, (error, received) => {
      if (error === null) resolve(received);
      else reject(error);
    });
  });
  assert((answer?.length ?? 0) > size);
  client.close();
  process.stdout.write('ok\n');
}

void main(process.argv.slice(2).map(Number));
