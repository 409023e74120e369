/**
 * The message of a caught value: that of an error, or any other value as text. Errors are
 * recognised by their shape, because errors of another realm are not instances of our Error.
 */
export function toErrorMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return error.message === '' ? toSilentMessage(error) : String(error.message);
  }
  return String(error);
}

/**
 * If a host name has several addresses and none answers, Node's error has no message of its own.
 */
function toSilentMessage(error: object): string {
  if (!('errors' in error) || !Array.isArray(error.errors)) return '';
  return error.errors.map(toErrorMessage).join('; ');
}

/** The stack of a caught value, for the log of a defect. The message if there is no stack. */
export function toErrorTrace(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'stack' in error) return String(error.stack);
  return toErrorMessage(error);
}
