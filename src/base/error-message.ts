/**
 * What a caught value says of itself: the message of an error, anything else as text. Errors are
 * known by their shape, as those of another realm are no instances of our Error.
 */
export function toErrorMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return error.message === '' ? toSilentMessage(error) : String(error.message);
  }
  return String(error);
}

/** Node's error of a name with several addresses, none of which answers, says nothing itself. */
function toSilentMessage(error: object): string {
  if (!('errors' in error) || !Array.isArray(error.errors)) return '';
  return error.errors.map(toErrorMessage).join('; ');
}

/** The same with where it comes from, for the log of a defect: its stack, if it has one. */
export function toErrorTrace(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'stack' in error) return String(error.stack);
  return toErrorMessage(error);
}
