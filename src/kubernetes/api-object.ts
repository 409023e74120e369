import type { ManifestFile } from '../manifests/manifest-source';
import type { YamlDocument } from '../manifests/yaml-documents';

/** An object of the API, with the fields that every one has. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

/** A list of objects, and the resource version from which a watch continues. */
export interface ApiList {
  readonly resourceVersion: string;
  readonly objects: readonly ApiObject[];
}

/** Converts the answer to a list request. */
export function toApiList(answer: unknown): ApiList {
  const { metadata, items } = (answer ?? {}) as {
    readonly metadata?: { readonly resourceVersion?: string };
    readonly items?: readonly ApiObject[];
  };
  return { resourceVersion: metadata?.resourceVersion ?? '', objects: items ?? [] };
}

/**
 * An object as a manifest.
 *
 * @param resource the singular name of its kind, for messages
 */
export function toManifestFile(resource: string, object: ApiObject): ManifestFile {
  return {
    file: `${resource}/${object.metadata.name}`,
    text: '',
    documents: [toDocument(object)],
    problem: undefined,
  };
}

/** An object as a document. Its parts have no positions. */
export function toDocument(object: ApiObject): YamlDocument {
  return { value: toYamlValue(object), problem: undefined, positionOf: () => undefined };
}

/** As in YAML documents, whole numbers are bigints. */
function toYamlValue(value: unknown): unknown {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(toYamlValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, toYamlValue(member)]),
  );
}
