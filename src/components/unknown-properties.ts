import { findNearest } from '../base/nearest-name';
import { type PlacedDocument, positionIn } from '../manifests/manifest-file';

/** The known metadata of each type. Drivers with more properties report unknown ones themselves. */
const PROPERTIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['lock.in-memory', ['keyPrefix']],
  ['secretstores.kubernetes', ['defaultNamespace']],
  ['secretstores.local.env', ['prefix']],
  ['secretstores.local.file', ['secretsFile', 'nestedSeparator', 'multiValued']],
]);

/** Sentences about unknown metadata of a component, with their places. */
export function describeUnknownProperties(
  spec: {
    readonly type: string;
    readonly metadata: readonly { readonly name?: string | undefined }[];
  },
  placed: PlacedDocument,
): readonly string[] {
  const known = PROPERTIES.get(spec.type.toLowerCase());
  if (known === undefined) return [];
  const lower = known.map((name) => name.toLowerCase());
  return spec.metadata.flatMap(({ name }, index) => {
    if (name === undefined || lower.includes(name.toLowerCase())) return [];
    const nearest = findNearest(name, known);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    const position = positionIn(placed, ['spec', 'metadata', index, 'name']);
    return [`${position} metadata property ${name} is unknown and ignored${hint}`];
  });
}
