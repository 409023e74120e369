import { encodeFields } from '../../src/http2/hpack-encoder';
import { CODE, FLAG, FRAME } from '../../src/http2/protocol';
import { frame, setting } from '../hostile/http2-frames';

/** The fields of requests. */
export const GET = [':method', 'GET', ':scheme', 'http', ':path', '/'];
export const POST = [':method', 'POST', ':scheme', 'http', ':path', '/'];

/** A request without content, unless the flags say otherwise. */
export const headers = (
  stream: number,
  fields: readonly string[],
  flags: number = FLAG.endHeaders | FLAG.endStream,
) => frame(FRAME.headers, stream, { flags, payload: encodeFields(fields) });

/** A request whose content is still to come. */
export const begin = (stream: number, fields: readonly string[] = POST) =>
  headers(stream, fields, FLAG.endHeaders);

export const data = (stream: number, bytes: string | Buffer, flags = 0) =>
  frame(FRAME.data, stream, { flags, payload: Buffer.from(bytes) });

export const reset = (stream: number, code: number = CODE.cancel) =>
  frame(FRAME.reset, stream, { payload: number(code) });

export const windowUpdate = (stream: number, by: number) =>
  frame(FRAME.windowUpdate, stream, { payload: number(by) });

export const settings = (id: number, value: number) =>
  frame(FRAME.settings, 0, { payload: setting(id, value) });

export const priority = (stream: number, on: number) =>
  frame(FRAME.priority, stream, { payload: Buffer.concat([number(on), Buffer.alloc(1)]) });

export const ping = (flags = 0) => frame(FRAME.ping, 0, { flags, payload: Buffer.alloc(8) });

/** An acknowledgement of settings. */
export const acknowledge = () => frame(FRAME.settings, 0, { flags: FLAG.ack });

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
