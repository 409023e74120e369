/** Why a secret can't be had; the message names what was looked for, never a value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Keeps secrets: a component of Dapr's `secretstores` building block. */
export interface SecretStore {
  /**
   * The keys and values of one secret.
   *
   * @throws {SecretError} where there is no such secret, or where it may not be read
   */
  get(name: string): ReadonlyMap<string, string>;
}

/**
 * A key of a secret.
 *
 * @throws {SecretError} where there is no such secret or no such key in it
 */
export function readSecret(
  store: SecretStore,
  { name, key }: { name: string; key: string },
): string {
  const value = store.get(name).get(key);
  if (value === undefined) throw new SecretError(`the secret has no key "${key}"`);
  return value;
}
