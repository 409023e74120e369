import type { RegisteredComponent } from '../sidecar/metadata';
import type { AnswerJoint } from './passed-call';
import { loadDaprService } from './proto-files';

/** The compression flag and the length in front of each message (gRPC over HTTP/2). */
const PREFIX_BYTES = 5;

/** The most bytes of an answer that are collected. A daprd's is a few KB. */
const LONGEST_ANSWER_BYTES = 16 * 2 ** 20;

/** The part of GetMetadataResponse that is read here. */
interface Answer {
  readonly registeredComponents: readonly RegisteredComponent[];
}

/**
 * Adds the components of this sidecar to the upstream's answer to GetMetadata. Two encoded messages
 * one after another are their union (protobuf encoding, Last One Wins), and lists are joined. So
 * everything else in the answer stays as the upstream wrote it, also fields that are unknown here.
 */
export function createMetadataJoint(components: () => readonly RegisteredComponent[]): AnswerJoint {
  let service: ReturnType<typeof loadDaprService> | undefined;
  const toAdded = (message: Buffer): Buffer => {
    service ??= loadDaprService();
    const { responseDeserialize, responseSerialize } = service.GetMetadata as never as Codec;
    const { registeredComponents: theirs } = responseDeserialize(message);
    const isTheirs = ({ name, type }: RegisteredComponent) =>
      theirs.some((other) => other.name === name && other.type === type);
    return responseSerialize({
      registeredComponents: components().filter((own) => !isTheirs(own)),
    });
  };
  return {
    requestHeaders: { 'grpc-accept-encoding': 'identity' },
    maxBytes: LONGEST_ANSWER_BYTES,
    change: (answer) => withAdded(answer, toAdded),
  };
}

interface Codec {
  readonly responseDeserialize: (bytes: Buffer) => Answer;
  readonly responseSerialize: (answer: Answer) => Buffer;
}

/** An answer without exactly one plain message is left as it is: it is an error, or not gRPC. */
function withAdded(answer: Buffer, toAdded: (message: Buffer) => Buffer): Buffer {
  const isPlain = answer.length >= PREFIX_BYTES && answer[0] === 0;
  if (!isPlain || answer.readUInt32BE(1) !== answer.length - PREFIX_BYTES) return answer;
  const message = answer.subarray(PREFIX_BYTES);
  const whole = Buffer.concat([message, toAdded(message)]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(whole.length, 1);
  return Buffer.concat([prefix, whole]);
}
