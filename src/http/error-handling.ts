import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

import type { FastifyInstance, FastifyReply } from 'fastify';

import { StreamsFullError } from '../api/event-streams';
import { toErrorTrace } from '../base/error-message';
import type { Logger } from '../base/logger';
import { runWithin } from '../base/race';
import { toGoJson } from '../go/go-json';
import { LockError } from '../lock/lock-errors';
import { MetadataFullError } from '../sidecar/metadata';
import { HttpError, httpErrors } from './http-errors';
import { sendJson } from './json-reply';

/**
 * Answers every failed request exactly once, in daprd's format. Errors of both catalogues are
 * answered by their rows, and Fastify's own errors by daprd's row for the same case.
 */
export function addErrorHandling(instance: FastifyInstance, logger: Logger): void {
  instance.setErrorHandler(async (error, request, reply) => {
    const answer = toAnswer(error);
    if (answer.cause !== undefined && answer instanceof HttpError) {
      logger.error(
        `${request.method} ${request.routeOptions.url ?? ''} failed: ${toErrorTrace(error)}`,
      );
    }
    await drain(request.raw);
    return sendError(reply, answer);
  });
}

/** How long to read the rest of a body before answering anyway, in milliseconds. */
const DRAIN_MS = 1000;

/**
 * Reads and drops the rest of a body that is too large. If the connection closed while the client
 * was still sending, the client would see a reset instead of the answer.
 */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  request.resume();
  const closed = runWithin({ afterMs: DRAIN_MS }, (over) =>
    once(request, 'close', { signal: over }),
  );
  await closed.catch(() => undefined);
}

/** Answers with an error of either catalogue. */
export function sendError(reply: FastifyReply, error: HttpError | LockError): FastifyReply {
  reply.request.errorCode = error.errorCode;
  if (error.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  return sendJson(reply, error.httpStatus, toErrorBody(error));
}

/** An error as clients get it. */
export function toErrorBody({ errorCode, message }: HttpError | LockError): string {
  return toGoJson({ errorCode, message });
}

/** The answer to whatever a request failed with. */
export function toAnswer(error: unknown): HttpError | LockError {
  if (error instanceof HttpError || error instanceof LockError) return error;
  if (error instanceof MetadataFullError) return httpErrors.metadataFull();
  if (error instanceof StreamsFullError) return httpErrors.streamsFull(error);
  // The client disconnected while it sent the body. Nobody reads the answer.
  if (codeOf(error) === 'ECONNRESET') return httpErrors.bodyUnreadable('unexpected EOF');
  return httpErrors.internal(error);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
