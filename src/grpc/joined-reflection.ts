import { EventEmitter } from 'node:events';

import type { handleBidiStreamingCall, MethodDefinition, ServerDuplexStream } from '@grpc/grpc-js';

import { API_TOKEN_HEADER } from '../sidecar/api-token';
import { callOnce } from '../upstream/call-once';
import type { SessionPool } from '../upstream/session-pool';

/** How long the upstream may take, in milliseconds. Without its answer, ours is sent alone. */
const ANSWER_WITHIN_MS = 5000;

/** The part of grpc/reflection/v1/reflection.proto that is looked at here. */
interface ReflectionRequest {
  readonly listServices?: string;
}

interface ReflectionResponse {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly errorResponse?: object;
}

/** A reflection call. */
export type ReflectionCall = ServerDuplexStream<object, object>;

/** The method of reflection, with its codecs. */
export type ReflectionMethod = MethodDefinition<object, object>;

/**
 * Joins our reflection with that of the upstream. Services are listed together. All else is asked of
 * the upstream first, because its descriptor of Dapr's service has more methods, and of ours if the
 * upstream does not know the answer, is away, or has no reflection.
 */
export function joinReflection(
  method: ReflectionMethod,
  ours: handleBidiStreamingCall<object, object>,
  pool: SessionPool,
): (call: ReflectionCall) => void {
  return (call) => {
    let last = Promise.resolve();
    call.on('data', (request: object) => {
      // One request at a time, so that answers have the order of their questions.
      call.pause();
      last = answer(call, { method, ours, pool, request }).then(() => {
        if (!call.writableNeedDrain) call.resume();
      });
    });
    call.on('drain', () => {
      call.resume();
    });
    call.on('end', () => void last.then(() => call.end()));
  };
}

/** One question, and who is asked. */
interface Question {
  readonly method: ReflectionMethod;
  readonly ours: handleBidiStreamingCall<object, object>;
  readonly pool: SessionPool;
  readonly request: object;
}

async function answer(call: ReflectionCall, question: Question): Promise<void> {
  const { request, ours } = question;
  const own = answerOf(ours, request);
  const theirs = await askUpstream(call, question);
  if (call.cancelled || call.destroyed) return;
  const isList = ((request as ReflectionRequest).listServices ?? '') !== '';
  if (theirs === undefined || theirs.errorResponse !== undefined) call.write(own);
  else call.write(isList ? withServices(own, theirs) : theirs);
}

/** The package answers a request while it handles the event. */
function answerOf(ours: handleBidiStreamingCall<object, object>, request: object): object {
  let own: object = {};
  const call = Object.assign(new EventEmitter(), {
    write: (response: object) => {
      own = response;
    },
    end: () => undefined,
  });
  ours(call as unknown as ReflectionCall);
  call.emit('data', request);
  return own;
}

async function askUpstream(
  call: ReflectionCall,
  { method, pool, request }: Question,
): Promise<ReflectionResponse | undefined> {
  const [token] = call.metadata.get(API_TOKEN_HEADER);
  try {
    const { messages } = await callOnce(pool, {
      path: method.path,
      message: method.requestSerialize(request),
      headers: typeof token === 'string' ? { [API_TOKEN_HEADER]: token } : {},
      afterMs: ANSWER_WITHIN_MS,
    });
    const [message] = messages;
    return message === undefined ? undefined : method.responseDeserialize(message);
  } catch {
    return undefined;
  }
}

function withServices(own: ReflectionResponse, theirs: ReflectionResponse): object {
  const all = [own, theirs].flatMap(({ listServicesResponse }) =>
    (listServicesResponse?.service ?? []).map(({ name }) => name),
  );
  const service = [...new Set(all)].sort().map((name) => ({ name }));
  return { ...theirs, listServicesResponse: { service } };
}
