import type { FastifyReply } from 'fastify';

import type { PageApi, PageFile } from '../api/page-api';
import { bindMethods, type CodecsOf, type HttpMethod, type UnaryCodec } from './http-method';
import { sendJson } from './json-reply';

/** The page in the form that an HTTP server needs. */
export function createPageRoutes(api: PageApi): readonly HttpMethod[] {
  return bindMethods(api, CODECS);
}

/** Keeps a browser from giving an answer to pages of other origins. */
const PRIVATE: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Sent with every file of the page. Its script, style and data come from where the page comes from,
 * and nothing else runs, is loaded or is sent. No page can show it in a frame, where a click could
 * be led to its buttons.
 */
const PROTECTION: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  ...PRIVATE,
};

const FILE: UnaryCodec<object, PageFile> = { decode: () => ({}), encode: sendFile };

const CODECS: CodecsOf<PageApi> = {
  GetOverview: {
    decode: () => ({}),
    encode: (overview, reply) => {
      // It names owners and resources: no cache keeps it, and no other page gets it as a script.
      reply.headers({ ...PRIVATE, 'cache-control': 'no-store' });
      return sendJson(reply, 200, JSON.stringify(overview));
    },
  },
  GetPage: { ...FILE, encode: sendPage },
  GetPageScript: FILE,
  GetPageStyle: FILE,
  GetPageIcon: FILE,
};

/**
 * Sends the page, or a redirect to the folder if the slash at the end is missing: the URLs in the
 * page are relative, so that it works behind a proxy that adds a path.
 */
function sendPage(file: PageFile, reply: FastifyReply): FastifyReply {
  const [path = '', query] = reply.request.originalUrl.split(/\?(.*)/s);
  if (path.endsWith('/')) return sendFile(file, reply);
  const folder = `${path.split('/').at(-1) ?? ''}/`;
  return reply
    .code(308)
    .header('location', query === undefined ? folder : `${folder}?${query}`)
    .send();
}

/**
 * Sends a file that browsers keep and ask for again each time, so that an upgraded sidecar never
 * meets the script of the version before.
 */
function sendFile({ body, contentType, etag }: PageFile, reply: FastifyReply): FastifyReply {
  reply.headers(PROTECTION).header('cache-control', 'no-cache').header('etag', etag);
  if (isKnown(reply.request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', contentType).send(body);
}

/** Compares as RFC 9110, 13.1.2 does: a proxy that compresses makes a validator weak. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}
