/** The options can't be used. The message is daprd's if daprd has one. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}
