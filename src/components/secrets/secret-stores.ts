import { type PlacedDocument, positionIn } from '../../manifests/manifest-file';
import { findNearest } from '../../manifests/nearest-name';
import type { MetadataProperties } from '../metadata-properties';
import type { Environment } from './environment-access';
import { createEnvironmentSecrets } from './environment-secrets';
import { createFileSecrets } from './file-secrets';
import type { SecretStore } from './secret-store';

type Creator = (properties: MetadataProperties, environment: Environment) => SecretStore;

/** The secret stores there are, by component type. */
const CREATORS: Readonly<Record<string, Creator>> = {
  'secretstores.local.env': createEnvironmentSecrets,
  'secretstores.local.file': createFileSecrets,
};

/** The metadata that each of them reads. */
const PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  'secretstores.local.env': ['prefix'],
  'secretstores.local.file': ['secretsFile', 'nestedSeparator', 'multiValued'],
};

/** The types of {@link createSecretStore}, for messages. */
export const SECRET_STORE_TYPES: readonly string[] = Object.keys(CREATORS);

/** True for the component types that {@link createSecretStore} makes. */
export function isSecretStoreType(type: string): boolean {
  return Object.hasOwn(CREATORS, type.toLowerCase());
}

/**
 * Makes the secret store of a component.
 *
 * @throws {Error} where its metadata is wrong or its file can't be read
 */
export function createSecretStore(
  type: string,
  properties: MetadataProperties,
  environment: Environment,
): SecretStore {
  const create = CREATORS[type.toLowerCase()];
  if (create === undefined) throw new Error(`couldn't find secret store ${type}`);
  return create(properties, environment);
}

/** The metadata of a secret store that nobody reads, as sentences with their places. */
export function describeUnknownProperties(
  spec: {
    readonly type: string;
    readonly metadata: readonly { readonly name?: string | undefined }[];
  },
  placed: PlacedDocument,
): readonly string[] {
  const known = isSecretStoreType(spec.type) ? (PROPERTIES[spec.type.toLowerCase()] ?? []) : [];
  if (known.length === 0) return [];
  const lower = known.map((name) => name.toLowerCase());
  return spec.metadata.flatMap(({ name }, index) => {
    if (name === undefined || lower.includes(name.toLowerCase())) return [];
    const nearest = findNearest(name, known);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    const position = positionIn(placed, ['spec', 'metadata', index, 'name']);
    return [`${position} metadata property ${name} is unknown and ignored${hint}`];
  });
}
