import { toErrorMessage } from '../lock/error-message';
import { ManifestFileError } from '../manifests/manifest-file';
import type { ManifestFile } from '../manifests/manifest-folders';
import { parseComponents, type ScopedManifest } from './component-file';
import { type ComponentManifest, toLogName } from './manifest';

/** Which components are meant for a sidecar. */
export interface SelectionOptions {
  readonly appId: string;
  /** Undefined or empty: manifests are not filtered by namespace. */
  readonly namespace: string | undefined;
}

/** What the resource folders hold for a sidecar. */
export interface ComponentSelection {
  readonly manifests: readonly ComponentManifest[];
  /** Files that can't be used, and why, in daprd's words with every problem of the file. */
  readonly broken: ReadonlyMap<string, string>;
}

/**
 * Picks the components that are meant for a sidecar out of what its folders hold. A file that
 * can't be parsed is left out with everything in it.
 *
 * @throws {Error} where two components have one name
 */
export function selectComponents(
  files: readonly ManifestFile[],
  options: SelectionOptions,
): ComponentSelection {
  const manifests: ComponentManifest[] = [];
  const broken = new Map<string, string>();
  for (const file of files) {
    try {
      const scoped = componentsOf(file).filter((entry) => isMeantFor(entry, options));
      manifests.push(...scoped.map(({ manifest }) => manifest));
    } catch (error) {
      if (!(error instanceof ManifestFileError)) throw error;
      broken.set(
        file.file,
        `daprd load Component error when parsing manifests yaml resource in ${file.file}: ${toErrorMessage(error)}`,
      );
    }
  }
  assertUniqueNames(manifests);
  return { manifests, broken };
}

function componentsOf({ file, documents, problem }: ManifestFile): readonly ScopedManifest[] {
  if (problem !== undefined) throw new ManifestFileError(problem);
  return parseComponents(file, documents);
}

function isMeantFor({ namespace, scopes }: ScopedManifest, options: SelectionOptions): boolean {
  const ours = options.namespace ?? '';
  if (ours !== '' && namespace !== '' && namespace !== ours) return false;
  return scopes.length === 0 || scopes.includes(options.appId);
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
