/**
 * What a caught value says of itself: the message of an error, anything else as text. Errors are
 * known by their shape, as those of another realm are no instances of our Error.
 */
export function toErrorMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return String(error.message);
  }
  return String(error);
}
