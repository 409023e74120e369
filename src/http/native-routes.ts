import type { FastifyReply } from 'fastify';

import type { NativeApi } from '../api/native-api';
import type { LockName } from '../lock/native-lock-service';
import { httpErrors } from './http-errors';
import { type ApiRequest, bindMethods, type CodecsOf, type HttpMethod } from './http-method';
import { sendJson } from './json-reply';
import {
  decodeNativeBody,
  decodeNativeQuery,
  LONGEST_NATIVE_BODY,
  type NativeFields,
  type NativeValues,
} from './native-fields';

/** The native methods in the form that an HTTP server needs. */
export function createNativeRoutes(api: NativeApi): readonly HttpMethod[] {
  return bindMethods(api, { ...CHANGING_CODECS, ...VIEW_CODECS });
}

/** The content type of a hold's events. */
const EVENTS_TYPE = 'application/x-ndjson';

/** The content type of all other answers. */
const JSON_TYPE = 'application/json';

const TAKING = {
  resourceId: 'text',
  lockOwner: 'text?',
  ttlMs: 'number',
  waitMs: 'number?',
} as const satisfies NativeFields;

const RELEASING = {
  resourceId: 'text',
  lockOwner: 'text',
  fencingToken: 'number?',
} as const satisfies NativeFields;

const RENEWING = { ...RELEASING, ttlMs: 'number' } as const satisfies NativeFields;

const FORCING = {
  resourceId: 'text',
  fencingToken: 'number',
  lockOwner: 'text?',
  expiresAtMs: 'number?',
  reason: 'text',
} as const satisfies NativeFields;

const CHANGING_CODECS: CodecsOf<Omit<NativeApi, 'Get' | 'List'>> = {
  Acquire: {
    decode: (request) => withoutWait(readCall(request, TAKING)),
    encode: sendAnswer,
    longestBody: LONGEST_NATIVE_BODY,
  },
  Renew: {
    decode: (request) => readCall(request, RENEWING),
    encode: sendAnswer,
    longestBody: LONGEST_NATIVE_BODY,
  },
  Release: {
    decode: (request) => readCall(request, RELEASING),
    encode: sendAnswer,
    longestBody: LONGEST_NATIVE_BODY,
  },
  Hold: {
    decode: (request) => {
      assertTakesEvents(request);
      return withoutWait(readBody(request, TAKING));
    },
    toLine: (event) => JSON.stringify(event),
    longestBody: LONGEST_NATIVE_BODY,
  },
  ForceRelease: {
    decode: (request) => readCall(request, FORCING),
    encode: sendAnswer,
    longestBody: LONGEST_NATIVE_BODY,
  },
};

const VIEW_CODECS: CodecsOf<Pick<NativeApi, 'Get' | 'List'>> = {
  Get: {
    decode: (request): LockName => readQuery(request, { resourceId: 'text' }),
    encode: (lock, reply) => {
      if (lock === undefined) throw httpErrors.lockNotHeld();
      return sendAnswer(lock, reply);
    },
  },
  List: {
    decode: (request) =>
      readQuery(request, { prefix: 'text?', pageSize: 'number?', pageToken: 'text?' }),
    encode: sendAnswer,
  },
};

/** The fields of a request, and the store from its path. */
type NativeRequest<Fields extends NativeFields> = NativeValues<Fields> & {
  readonly storeName: string;
};

function readCall<Fields extends NativeFields>(
  request: ApiRequest,
  fields: Fields,
): NativeRequest<Fields> {
  assertTakesJson(request);
  return readBody(request, fields);
}

function readBody<Fields extends NativeFields>(
  request: ApiRequest,
  fields: Fields,
): NativeRequest<Fields> {
  if (!/^application\/json *(?:;.*)?$/i.test(request.contentType)) {
    throw httpErrors.bodyNotJson();
  }
  return { ...decodeNativeBody(request.body, fields), storeName: storeOf(request) };
}

function readQuery<Fields extends NativeFields>(
  request: ApiRequest,
  fields: Fields,
): NativeRequest<Fields> {
  assertTakesJson(request);
  return { ...decodeNativeQuery(request.url, fields), storeName: storeOf(request) };
}

function storeOf({ params }: ApiRequest): string {
  return params.store ?? '';
}

function withoutWait(request: NativeRequest<typeof TAKING>) {
  return { ...request, waitMs: request.waitMs ?? 0 };
}

/**
 * Refuses a hold of a client that asks for a single JSON value. It would wait for the end of the
 * hold, and take its lines for broken JSON.
 */
function assertTakesEvents(request: ApiRequest): void {
  if (!accepts(request, EVENTS_TYPE)) throw httpErrors.eventsNotAccepted();
}

/** Refuses a call of a client that can't read the answer. Nothing was done then. */
function assertTakesJson(request: ApiRequest): void {
  if (!accepts(request, JSON_TYPE)) throw httpErrors.jsonNotAccepted();
}

function accepts({ headers: { accept = '*/*' } }: ApiRequest, wanted: string): boolean {
  const types = accept.split(',').map((type) => type.split(';', 1)[0]?.trim().toLowerCase());
  return types.some((type) => ['*/*', 'application/*', wanted].includes(type ?? ''));
}

function sendAnswer(answer: object, reply: FastifyReply): FastifyReply {
  return sendJson(reply, 200, JSON.stringify(answer));
}
