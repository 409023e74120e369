import type { ManifestFile } from '../manifests/manifest-source';
import { describeNearMiss } from '../manifests/near-misses';
import { type ComponentsOfFile, parseComponents, type ScopedManifest } from './component-file';
import { type ComponentManifest, toLogName } from './manifest';

/** Decides which components are meant for this sidecar. */
export interface SelectionOptions {
  readonly appId: string;
  /** If undefined or empty, components are not filtered by namespace. */
  readonly namespace: string | undefined;
  /** Components that exist without a manifest. One of the same name replaces them. */
  readonly builtIn?: readonly ComponentManifest[];
}

/** The components that the sidecar must have. */
export interface ComponentSelection {
  readonly manifests: readonly ComponentManifest[];
  /** Files with documents that can't be read, with all their problems in daprd's words. */
  readonly broken: ReadonlyMap<string, string>;
}

/** The contents of the resource folders. */
export interface FolderContents extends ComponentSelection {
  /** Warnings about parts that have no effect, probably by mistake. */
  readonly warnings: readonly string[];
  /** Sentences about components for other sidecars, with the reason. */
  readonly passedOver: readonly string[];
  /** The names of all components, also those for other sidecars. */
  readonly names: readonly string[];
}

/**
 * Selects the components for this sidecar from its folders. A document that can't be read is left
 * out. A file that can't be read is left out completely.
 *
 * @throws {Error} if two components have the same name
 */
export function selectComponents(
  files: readonly ManifestFile[],
  options: SelectionOptions,
): FolderContents {
  const broken = new Map<string, string>();
  const found = files.flatMap((file) => {
    const { manifests, problems } = componentsOf(file);
    if (problems.length > 0) {
      const reason = problems.join('\n');
      broken.set(
        file.file,
        `daprd load Component error when parsing manifests yaml resource in ${file.file}: ${reason}`,
      );
    }
    return manifests;
  });
  const reasons = found.map((scoped) => ({ scoped, reason: reasonAgainst(scoped, options) }));
  const chosen = reasons.filter(({ reason }) => reason === undefined).map(({ scoped }) => scoped);
  const written = chosen.map(({ manifest }) => manifest);
  const isReplaced = ({ name }: ComponentManifest) => written.some((other) => other.name === name);
  const builtIn = (options.builtIn ?? []).filter((manifest) => !isReplaced(manifest));
  const manifests = [...builtIn, ...written];
  assertUniqueNames(manifests);
  return {
    manifests,
    broken,
    warnings: [...files.flatMap(nearMissesIn), ...chosen.flatMap(({ warnings }) => warnings)],
    passedOver: reasons.flatMap(({ reason }) => reason ?? []),
    names: found.map(({ manifest }) => manifest.name),
  };
}

function componentsOf({ file, documents, problem }: ManifestFile): ComponentsOfFile {
  if (problem !== undefined) return { manifests: [], problems: [problem] };
  return parseComponents(file, documents);
}

/** Nothing is reported yet for a file that may be half written. */
function nearMissesIn({ file, documents, problem }: ManifestFile): readonly string[] {
  if (problem !== undefined) return [];
  return documents.flatMap((document) => describeNearMiss({ file, document }) ?? []);
}

/** Says why a component is not meant for this sidecar. Undefined if it is. */
function reasonAgainst(
  { manifest, namespace, scopes }: ScopedManifest,
  { appId, namespace: ours = '' }: SelectionOptions,
): string | undefined {
  const subject = `Component ${toLogName(manifest)} in ${manifest.file} is ignored`;
  if (ours !== '' && namespace !== '' && namespace !== ours) {
    return `${subject}: its namespace is ${namespace}, but NAMESPACE is ${ours}`;
  }
  if (scopes.length === 0 || scopes.includes(appId)) return undefined;
  return `${subject}: its scopes (${scopes.join(', ')}) do not contain the app id ${appId}`;
}

function assertUniqueNames(manifests: readonly ComponentManifest[]): void {
  const byName = new Map<string, ComponentManifest>();
  for (const manifest of manifests) {
    const existing = byName.get(manifest.name);
    if (existing !== undefined) {
      throw new Error(
        `failed to load components: duplicate definition of Component name ${toLogName(manifest)} with existing ${toLogName(existing)} (in ${manifest.file} and ${existing.file})`,
      );
    }
    byName.set(manifest.name, manifest);
  }
}
