import { toErrorMessage } from '../base/error-message';
import { describeFileError } from '../base/file-error';

/** Explanations of the errors of binding a TCP port. */
const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not listen on it (ports below 1024 need a privilege)',
  EADDRINUSE: 'another process listens on it',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine does not support this version of IP',
  EINVAL: 'it is not an address to listen on',
  ENOTFOUND: 'there is no host with this name',
  EAI_AGAIN: 'its name could not be looked up',
};

/** Explains why binding a TCP address failed: a sentence with the error's code. */
export function describeListenError(error: unknown): string {
  const code = codeOf(error);
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  return sentence === undefined ? describeFileError(error) : `${sentence} (${code})`;
}

/** Finds the error code. grpc-js has it only in its message. */
function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return /\blisten (E[A-Z]+)\b/.exec(toErrorMessage(error))?.[1] ?? '';
}
