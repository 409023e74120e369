const SEPARATOR = '||';

/** A resource or a prefix that no key can be built from; the message is daprd's. */
export class LockKeyError extends Error {
  override readonly name = 'LockKeyError';

  constructor(text: string) {
    super(`input key/keyPrefix '${text}' can't contain '${SEPARATOR}'`);
  }
}

/** Where a component's keys begin; made once for each component by {@link createLockKeyPrefix}. */
export interface LockKeyPrefix {
  /** Everything before the resource, separators included. */
  readonly text: string;
}

/**
 * Makes the key prefix of a component from its `keyPrefix` metadata, byte for byte as daprd
 * (dapr/dapr pkg/components/lock/lock_config.go), so that both refuse each other's locks.
 *
 * `appid` (the default) keeps apps apart; `name` shares by component name; `none` shares one
 * space; any other text is the prefix itself, lower-cased. App id and component name are not
 * checked for the separator: daprd doesn't either.
 *
 * @throws {LockKeyError} where a literal prefix contains two pipes
 */
export function createLockKeyPrefix(options: {
  /** The component's `keyPrefix`, undefined where it has none. */
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
 * The key of a resource in its store.
 *
 * @throws {LockKeyError} where the resource contains two pipes
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
