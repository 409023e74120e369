import type { FastifyReply } from 'fastify';

import type { DaprApi } from '../api/dapr-api';
import { MAX_EXTENDED_BYTES, type SidecarMetadataView } from '../sidecar/metadata';
import { httpErrors } from './http-errors';
import { type ApiRequest, bindMethods, type CodecsOf, type HttpMethod } from './http-method';
import { sendJson } from './json-reply';
import { toMetadataBody } from './metadata-body';
import { decodeLockRequest, TRY_LOCK_FIELDS, UNLOCK_FIELDS } from './request-body';

/** Dapr's methods in the form that an HTTP server needs. */
export function createDaprRoutes(api: DaprApi): readonly HttpMethod[] {
  return bindMethods(api, { ...LOCK_CODECS, ...createSidecarCodecs(), ...PROBE_CODECS });
}

/** The two lock routes of daprd (dapr/dapr pkg/api/http/lock.go). */
const LOCK_CODECS: CodecsOf<Pick<DaprApi, 'TryLock' | 'Unlock'>> = {
  TryLock: {
    decode: (request) => {
      const body = decodeLockRequest(bodyOf(request), TRY_LOCK_FIELDS);
      const { resourceId, lockOwner, expiryInSeconds } = body;
      return { storeName: parameter(request, 'store'), resourceId, lockOwner, expiryInSeconds };
    },
    encode: ({ success }, reply) => sendJson(reply, 200, `{"success":${String(success)}}`),
  },
  Unlock: {
    decode: (request) => {
      const { resourceId, lockOwner } = decodeLockRequest(bodyOf(request), UNLOCK_FIELDS);
      return { storeName: parameter(request, 'store'), resourceId, lockOwner };
    },
    encode: ({ status }, reply) => sendJson(reply, 200, `{"status":${status}}`),
  },
};

function createSidecarCodecs(): CodecsOf<
  Pick<DaprApi, 'GetMetadata' | 'SetMetadata' | 'Shutdown'>
> {
  // Encoded again only after a change.
  let written: { readonly view: SidecarMetadataView; readonly body: string } | undefined;
  return {
    GetMetadata: {
      decode: takeNothing,
      encode: (view, reply) => {
        if (written?.view !== view) written = { view, body: toMetadataBody(view) };
        return sendJson(reply, 200, written.body);
      },
    },
    SetMetadata: {
      decode: (request) => ({
        key: parameter(request, 'key'),
        value: bodyOf(request).toString('utf8'),
      }),
      encode: (_response, reply) => sendNothing(reply),
      longestBody: { bytes: MAX_EXTENDED_BYTES, refuse: httpErrors.metadataFull },
    },
    Shutdown: { decode: takeNothing, encode: (_response, reply) => sendNothing(reply) },
  };
}

const PROBE_CODECS: CodecsOf<Pick<DaprApi, 'GetHealthz' | 'GetOutboundHealthz'>> = {
  GetHealthz: {
    decode: ({ query }) => ({ appId: query.appid ?? '' }),
    encode: ({ unreadyTargets, isForOtherApp }, reply) => {
      if (unreadyTargets.length > 0) throw httpErrors.notReady(unreadyTargets);
      if (isForOtherApp) throw httpErrors.appIdMismatch();
      return sendNothing(reply);
    },
  },
  GetOutboundHealthz: {
    decode: takeNothing,
    encode: ({ isReady }, reply) => {
      if (!isReady) throw httpErrors.outboundNotReady();
      return sendNothing(reply);
    },
  },
};

function bodyOf({ body }: ApiRequest): Buffer {
  return body ?? Buffer.alloc(0);
}

function parameter({ params }: ApiRequest, name: string): string {
  return params[name] ?? '';
}

function takeNothing(): object {
  return {};
}

function sendNothing(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}
