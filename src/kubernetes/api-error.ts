import { toErrorMessage } from '../base/error-message';

/** The status of what a server no longer has, such as an old resource version. */
const GONE = 410;

/** The API server did not do what was asked. The message names the path, and never the token. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status, or the code of an event. Undefined if there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.status = status;
  }

  /** True for an answer that may be another one a moment later. */
  get isPassing(): boolean {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }
}

/** The error for a request without an answer. */
export function toUnanswered(url: string, cause: unknown): ApiError {
  return new ApiError(`${url}: ${toErrorMessage(cause)}`, { cause });
}

/** The error for an answer with another status than 200: its reason is in a `Status` object. */
export function toRefused(url: string, status: number, body: string): ApiError {
  const { message } = parseStatus(body);
  return new ApiError(`${url}: ${status}${message === undefined ? '' : ` ${message}`}`, { status });
}

/** The error for an event of a watch that ends it. */
export function toEventError(url: string, object: unknown): ApiError {
  const { code, message = 'an error without a message' } = toStatus(object);
  return new ApiError(`${url}: ${message}`, code === undefined ? {} : { status: code });
}

/** True if a watch can't continue, because the server has forgotten where it was. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === GONE;
}

interface Status {
  readonly code: number | undefined;
  readonly message: string | undefined;
}

function parseStatus(body: string): Status {
  try {
    return toStatus(JSON.parse(body));
  } catch {
    return { code: undefined, message: undefined };
  }
}

function toStatus(object: unknown): Status {
  const { code, message } = (object ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
  };
  return {
    code: typeof code === 'number' ? code : undefined,
    message: typeof message === 'string' ? message : undefined,
  };
}
