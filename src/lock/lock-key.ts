const SEPARATOR = '||';

/** A resource or a prefix that can't be part of a key. The message is daprd's. */
export class LockKeyError extends Error {
  override readonly name = 'LockKeyError';

  constructor(text: string) {
    super(`input key/keyPrefix '${text}' can't contain '${SEPARATOR}'`);
  }
}

/**
 * The beginning of a component's keys. Created once for each component by {@link
 * createLockKeyPrefix}.
 */
export interface LockKeyPrefix {
  /** Everything before the resource, including separators. */
  readonly text: string;
}

/**
 * Creates the key prefix of a component from its `keyPrefix` metadata, exactly as daprd does
 * (dapr/dapr pkg/components/lock/lock_config.go), so that both refuse each other's locks.
 *
 * `appid` (the default) separates apps. `name` shares locks by component name. `none` shares one
 * space. Any other text is the prefix itself, in lower case. As in daprd, app id and component name
 * are not checked for the separator.
 *
 * @throws {LockKeyError} if a literal prefix contains two pipes
 */
export function createLockKeyPrefix(options: {
  /** The component's `keyPrefix`. Undefined if it has none. */
  readonly keyPrefix: string | undefined;
  readonly appId: string;
  readonly componentName: string;
}): LockKeyPrefix {
  const strategy = (options.keyPrefix ?? 'appid').toLowerCase();
  switch (strategy) {
    case 'appid':
      return prefixOf(options.appId === '' ? [] : [options.appId]);
    case 'name':
      return prefixOf([options.componentName]);
    case 'none':
      return prefixOf([]);
    default:
      assertNoSeparator(strategy);
      return prefixOf([strategy]);
  }
}

/**
 * Creates the key of a resource in its store.
 *
 * @throws {LockKeyError} if the resource contains two pipes
 */
export function toLockKey(prefix: LockKeyPrefix, resourceId: string): string {
  assertNoSeparator(resourceId);
  return prefix.text + resourceId;
}

function prefixOf(parts: readonly string[]): LockKeyPrefix {
  return { text: ['lock', ...parts, ''].join(SEPARATOR) };
}

function assertNoSeparator(text: string): void {
  if (text.includes(SEPARATOR)) throw new LockKeyError(text);
}
