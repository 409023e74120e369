/** An error of Dapr's lock API as it goes over the wire, see docs/errors.md. */
export interface ApiError {
  readonly message: string;
  readonly errorCode: string;
  readonly httpStatus: number;
  /** The code's name as the gRPC specification writes it. */
  readonly grpcCode: 'INVALID_ARGUMENT' | 'INTERNAL' | 'UNAUTHENTICATED';
}

/** The answer that a program must give at a step: that text, or an error that has all of these texts. */
export type Expectation = string | readonly string[];

/** The store, the resource and the owners of every program. */
export const STORE = 'lockstore';

/** One lock, from free to free again. The same steps in this order in every program. */
export const LOCK_STEPS: Readonly<Record<string, Expectation>> = {
  'lock a free resource': 'true',
  'lock it again as its owner': 'false',
  'lock it as another owner': 'false',
  'unlock it as another owner': 'belongs to others',
  'unlock it': 'success',
  'unlock it again': 'does not exist',
  'lock it for 1 s': 'true',
  'lock it as another owner before that': 'false',
  'lock it as another owner after that': 'true',
};

/** How long the lease of 1 s lasted: from the step that took it to the one that found it over. */
export const LEASE_STEPS = ['lock it for 1 s', 'lock it as another owner after that'] as const;

/**
 * How long the lease of 1 s may seem to last. A busy machine reads the first answer late, and a program
 * asks now and then only; an expiry taken for milliseconds, or for another lease's, is far outside.
 */
export const LEASE_SEEMS_MS = { min: 500, max: 5_000 } as const;

/** Releasing at the end of a block, in the languages that have it. */
export const SCOPE_STEPS: Readonly<Record<string, Expectation>> = {
  'inside the block another owner is refused': 'false',
  'after the block another owner gets it': 'true',
};

/** The event that a program awaits within its work: the end of its lease, long before the 60 s. */
export const LEASE_OVER = 'lease over';

/**
 * The lines of docs/clients.md. They tell their caller whether the work was done: it is with the lock
 * free, not while another owner holds it, whose lock is left alone. An error of the work reaches the
 * caller with the lock released, and work that was longer than its lease is an error too.
 */
export const SNIPPET_STEPS: Readonly<Record<string, Expectation>> = {
  'work while the lock is free': 'done',
  'lock as another owner after it': 'true',
  'work while that owner holds it': 'not done',
  'unlock as that owner': 'success',
  'work that fails': ['no space left'],
  'lock as another owner after that': 'true',
  'unlock as that owner again': 'success',
  'work that is longer than its lease': ['lease'],
};

/** The exit codes of the shell script. Cron looks at nothing else. */
export const EXIT_CODE_STEPS: Readonly<Record<string, Expectation>> = {
  'exit code of a command that went well': '0',
  'exit code of a command that failed': '28',
  'exit code while another has the lock': '75, somebody else has it',
  'exit code without a sidecar': '69, no answer that grants it',
  'exit code where the lease was over first': '76, LEASE OVERRAN',
  'exit code of a failed command where the lease was over first': '28, LEASE OVERRAN',
  'exit code where it could not be released': '74, not released',
  'exit code with a quote and a backslash in the name': '0',
  'exit code without a command': '1, usage',
  'exit code at SIGTERM': '143',
  'lock as another owner after SIGTERM': 'true',
};

/** The last lines of the two instances that contend, and of an app of another name. */
export const CONTEND_UNLOCK_STEP = 'unlock after the work';

/** How often an instance was refused before it was let in. */
export const CONTEND_REFUSED_STEP = 'refused before it';

const badRequest = { httpStatus: 400, grpcCode: 'INVALID_ARGUMENT' } as const;

/** Calls that fail, by step. */
export const ERROR_STEPS: Readonly<Record<string, ApiError>> = {
  'an unknown store': {
    ...badRequest,
    message: 'lock store nope not found',
    errorCode: 'ERR_LOCK_STORE_NOT_FOUND',
  },
  'an empty resource': {
    ...badRequest,
    message: 'ResourceId is empty in lock store lockstore',
    errorCode: 'ERR_MALFORMED_REQUEST',
  },
  'an empty owner': {
    ...badRequest,
    message: 'LockOwner is empty in lock store lockstore',
    errorCode: 'ERR_MALFORMED_REQUEST',
  },
  'expiry 0': {
    ...badRequest,
    message: 'ExpiryInSeconds is not positive in lock store lockstore',
    errorCode: 'ERR_MALFORMED_REQUEST',
  },
  'two pipes in the resource': {
    httpStatus: 500,
    grpcCode: 'INTERNAL',
    message: `failed to try acquiring lock: input key/keyPrefix 'a||b' can't contain '||'`,
    errorCode: 'ERR_TRY_LOCK',
  },
};

/** The step of a call with a token, right or wrong. */
export const TOKEN_STEP = 'lock with a token';

/** The same by the script of a shell. */
export const TOKEN_EXIT_CODE_STEP = 'exit code with a token';

/** The answer to a wrong token. */
export const WRONG_TOKEN: ApiError = {
  httpStatus: 401,
  grpcCode: 'UNAUTHENTICATED',
  message: 'Unauthorized',
  errorCode: 'invalid api token',
};

/** One lock by two APIs: taken and released by Dapr's SDK, looked at and renewed by the native API over HTTP. */
export const NATIVE_STEPS: Readonly<Record<string, Expectation>> = {
  'lock it by the SDK': 'true',
  'get it by HTTP': 'held by alice with a token, at most 60 s left',
  'renew it by HTTP': 'RENEWED',
  'get it by HTTP then': 'held by alice with a token, more than 60 s left',
  'unlock it by the SDK': 'success',
  'get it by HTTP at last': 'ERR_LOCK_NOT_HELD',
};

/** A sidecar that stops and starts again under a client that stays. */
export const RESTART_STEPS: Readonly<Record<string, Expectation>> = {
  'lock before the stop': 'true',
  'call while it is stopped': ['error: '],
  'unlock after the start': 'success',
};

/** True where an answer is what was expected. */
export function isExpected(answer: string | undefined, expectation: Expectation): boolean {
  if (answer === undefined) return false;
  if (typeof expectation === 'string') return answer === expectation;
  return answer.startsWith('error: ') && expectation.every((text) => answer.includes(text));
}
