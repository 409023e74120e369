import { isSecretStoreType } from './secrets/secret-stores';

/**
 * What a component's type says of it: a lock store, a secret store of those that are served,
 * something Dapr has and we don't, or a slip.
 */
export type ComponentKind = 'lock' | 'secret-store' | 'other-building-block' | 'unknown';

/**
 * Dapr's component categories besides locks, the text before a type's first dot
 * (dapr/dapr pkg/components/category.go). A team's resource folder holds all of its components.
 */
const OTHER_BUILDING_BLOCKS: ReadonlySet<string> = new Set([
  'bindings',
  'configuration',
  'conversation',
  'crypto',
  'middleware',
  'nameresolution',
  'pubsub',
  'secretstores',
  'state',
  'workflow',
  'workflowbackend',
]);

/** Tells the kind of a component by its type; the category counts case and all, as in daprd. */
export function toComponentKind(type: string): ComponentKind {
  const [category = ''] = type.split('.', 1);
  if (category === 'lock') return 'lock';
  if (isSecretStoreType(type)) return 'secret-store';
  return OTHER_BUILDING_BLOCKS.has(category) ? 'other-building-block' : 'unknown';
}
