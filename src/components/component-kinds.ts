import { isSecretStoreType } from './secrets/secret-stores';

/**
 * The kind of a component: a lock store, a supported secret store, another building block of Dapr,
 * or an unknown type (probably mistyped).
 */
export type ComponentKind = 'lock' | 'secret-store' | 'other-building-block' | 'unknown';

/**
 * Dapr's component categories other than locks: the text before the first dot of a type (dapr/dapr
 * pkg/components/category.go). A team's resource folder contains all of its components.
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

/** Finds the kind of a component from its type. As in daprd, the category is case-sensitive. */
export function toComponentKind(type: string): ComponentKind {
  const [category = ''] = type.split('.', 1);
  if (category === 'lock') return 'lock';
  if (isSecretStoreType(type)) return 'secret-store';
  return OTHER_BUILDING_BLOCKS.has(category) ? 'other-building-block' : 'unknown';
}
