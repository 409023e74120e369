import { Client, credentials } from '@grpc/grpc-js';

import { loadNativeService } from '../../src/grpc/proto-files';

/**
 * A client that holds a lock over gRPC: `grpc-holder.ts PORT MESSAGE`, the message as JSON. Prints when it calls, in
 * milliseconds since 1970, then each event in a line, and ends with the call.
 */
const [port = '', message = ''] = process.argv.slice(2);
const { path, requestSerialize, responseDeserialize } = loadNativeService().Hold!;
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
process.stdout.write(
  `${JSON.stringify({ calledAtMs: performance.timeOrigin + performance.now() })}\n`,
);
const call = client.makeServerStreamRequest(
  path,
  requestSerialize,
  responseDeserialize,
  JSON.parse(message) as object,
);
call.on('data', (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`));
call.on('error', (error: Error) => process.stderr.write(`${error.message}\n`));
call.on('close', () => {
  client.close();
});
