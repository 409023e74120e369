/** Options that can't be run with; the message is daprd's where daprd has one. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}
