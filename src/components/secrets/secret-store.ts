/** A secret can't be read. The message contains what was requested, but no value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** The keys and values of a secret. */
export type SecretValues = ReadonlyMap<string, string>;

/** A component of Dapr's `secretstores` building block. */
export interface SecretStore {
  /**
   * Returns the keys and values of one secret.
   *
   * @throws {SecretError} if there is no such secret, or it may not be read
   */
  get(name: string): SecretValues | Promise<SecretValues>;
}

/**
 * Reads one key of a secret.
 *
 * @throws {SecretError} if there is no such secret, or it has no such key
 */
export async function readSecret(
  store: SecretStore,
  { name, key }: { name: string; key: string },
): Promise<string> {
  const value = (await store.get(name)).get(key);
  if (value === undefined) throw new SecretError(`the secret has no key "${key}"`);
  return value;
}
