/** What a caught value says of itself: the message of an error, anything else as text. */
export function toErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
