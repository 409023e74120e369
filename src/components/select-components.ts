import type { ManifestFile } from '../manifests/manifest-folders';
import { describeNearMiss } from '../manifests/near-misses';
import { type ComponentsOfFile, parseComponents, type ScopedManifest } from './component-file';
import { type ComponentManifest, toLogName } from './manifest';

/** Which components are meant for a sidecar. */
export interface SelectionOptions {
  readonly appId: string;
  /** Undefined or empty: manifests are not filtered by namespace. */
  readonly namespace: string | undefined;
}

/** The components that a sidecar is to have. */
export interface ComponentSelection {
  readonly manifests: readonly ComponentManifest[];
  /** Files with documents that can't be read, and why, in daprd's words with every problem. */
  readonly broken: ReadonlyMap<string, string>;
}

/** What the resource folders hold for a sidecar, and beside it. */
export interface FolderContents extends ComponentSelection {
  /** What has no effect and was hardly meant so, as sentences. */
  readonly warnings: readonly string[];
  /** The components that are meant for other sidecars, and why, as sentences. */
  readonly passedOver: readonly string[];
  /** The names of all components, those of other sidecars too. */
  readonly names: readonly string[];
}

/**
 * Picks the components that are meant for a sidecar out of what its folders hold. A document that
 * can't be read is left out, and a file that can't with everything in it.
 *
 * @throws {Error} where two components have one name
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
  const manifests = chosen.map(({ manifest }) => manifest);
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

/** Of a file that may be half written nothing is said yet. */
function nearMissesIn({ file, documents, problem }: ManifestFile): readonly string[] {
  if (problem !== undefined) return [];
  return documents.flatMap((document) => describeNearMiss({ file, document }) ?? []);
}

/** Why a component is not meant for a sidecar; undefined where it is. */
function reasonAgainst(
  { manifest, namespace, scopes }: ScopedManifest,
  { appId, namespace: ours = '' }: SelectionOptions,
): string | undefined {
  const subject = `Component ${toLogName(manifest)} in ${manifest.file} is passed over`;
  if (ours !== '' && namespace !== '' && namespace !== ours) {
    return `${subject}: its namespace is ${namespace}, and NAMESPACE is ${ours}`;
  }
  if (scopes.length === 0 || scopes.includes(appId)) return undefined;
  return `${subject}: its scopes are ${scopes.join(', ')}, and the app id is ${appId}`;
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
