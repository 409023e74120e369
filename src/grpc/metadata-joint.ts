import { PREFIX_BYTES, toFrame, toMessages } from '../base/grpc-frames';
import { type RegisteredComponent, withoutThose } from '../sidecar/metadata';
import { MOST_COLLECTED_BYTES } from '../upstream/collected-answers';
import type { AnswerJoint } from './answer-joint';
import { loadDaprService } from './proto-files';

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
    return responseSerialize({ registeredComponents: withoutThose(theirs, components()) });
  };
  return {
    requestHeaders: { 'grpc-accept-encoding': 'identity' },
    maxBytes: MOST_COLLECTED_BYTES,
    change: (answer) => withAdded(answer, toAdded),
  };
}

interface Codec {
  readonly responseDeserialize: (bytes: Buffer) => Answer;
  readonly responseSerialize: (answer: Answer) => Buffer;
}

/** An answer without exactly one plain message is left as it is: it is an error, or not gRPC. */
function withAdded(answer: Buffer, toAdded: (message: Buffer) => Buffer): Buffer {
  const [message] = toMessages(answer);
  if (message?.length !== answer.length - PREFIX_BYTES) return answer;
  return toFrame(Buffer.concat([message, toAdded(message)]));
}
