import { toErrorMessage } from '../base/error-message';
import { createProblemLogger, type Say } from '../base/problem-logger';
import { readRegularFile } from '../base/regular-file';
import { type ComponentsOfFile, parseComponents } from '../components/component-file';
import type { ComponentManifest } from '../components/manifest';
import { configurationSchema } from '../configuration/configuration-schema';
import { loadConfiguration } from '../configuration/load-configuration';
import { ManifestFolders } from '../manifests/manifest-folders';
import type { ManifestFile } from '../manifests/manifest-source';
import { parseFile } from '../manifests/manifest-file';
import { describeNearMiss } from '../manifests/near-misses';
import { describeUnknownNames } from '../manifests/unknown-names';
import { Resiliency, silentResiliencyObserver } from '../resiliency/resiliency';
import { checkComponent } from './check-component';

/** The files to check, and how. */
export interface CheckOptions {
  readonly folders: readonly string[];
  readonly configFiles: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The findings of a check. Each problem is one line or more: `file:line:column what`. */
export interface CheckReport {
  readonly problems: readonly string[];
  readonly components: readonly ComponentManifest[];
}

/**
 * Reads all manifests as a sidecar would, and connects nowhere. What a sidecar warns about, such as unknown names, is
 * wrong here. A value that comes from a secret or the environment is not looked at, as it is elsewhere than the check.
 */
export async function checkManifests(options: CheckOptions): Promise<CheckReport> {
  const problems: string[] = [];
  const say = (problem: string): void => {
    if (!problems.includes(problem)) problems.push(problem);
  };
  await checkConfiguration(options, say);
  const files = await readFolders(options.folders, say);
  const found = files.map((file) => ({ file, ...componentsOf(file) }));
  for (const { problems: ofFile, file } of found) {
    for (const problem of [...ofFile, ...nearMissesIn(file)]) say(problem);
  }
  const scoped = found.flatMap(({ file, manifests }) => manifests.map((one) => ({ ...one, file })));
  for (const { warnings, manifest, file } of scoped) {
    for (const warning of warnings) say(warning);
    for (const problem of checkComponent(manifest, { file, ...options })) say(problem);
  }
  const components = scoped.map(({ manifest }) => manifest);
  for (const problem of duplicatesIn(scoped)) say(problem);
  const resiliency = new Resiliency({
    appId: '',
    logger: createProblemLogger({ warn: say, error: say }),
    observer: silentResiliencyObserver,
  });
  resiliency.load(
    files,
    components.map(({ name }) => name),
  );
  return { problems, components };
}

async function checkConfiguration(
  { configFiles, environment }: CheckOptions,
  say: Say,
): Promise<void> {
  // One at a time, so that a broken file does not hide what is wrong in the next.
  for (const file of configFiles) {
    try {
      await loadConfiguration({
        files: [file],
        environment,
        logger: createProblemLogger({ warn: say, error: say }),
      });
    } catch (error) {
      for (const problem of toErrorMessage(error).split('\n')) {
        say(problem.replace(/^error loading configuration: /, ''));
      }
      for (const problem of await unknownNamesIn(file)) say(problem);
    }
  }
}

/** A sidecar does not come to them where a value is wrong. */
async function unknownNamesIn(file: string): Promise<readonly string[]> {
  try {
    const [document] = parseFile(file, await readRegularFile(file));
    if (document === undefined) return [];
    return describeUnknownNames(configurationSchema, { file, document }, true);
  } catch {
    return [];
  }
}

async function readFolders(folders: readonly string[], say: Say): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const folder of folders) {
    try {
      // That a file is no YAML is no fault of it.
      files.push(
        ...(await new ManifestFolders(
          [folder],
          createProblemLogger({ error: () => undefined }),
        ).read()),
      );
    } catch (error) {
      say(toErrorMessage(error).replace(/^failed to load components: /, ''));
    }
  }
  return files;
}

function componentsOf({ file, documents, problem }: ManifestFile): ComponentsOfFile {
  if (problem !== undefined) return { manifests: [], problems: [problem] };
  return parseComponents(file, documents);
}

function nearMissesIn({ file, documents }: ManifestFile): readonly string[] {
  return documents.flatMap((document) => describeNearMiss({ file, document }) ?? []);
}

/** Two components of a name are wrong where an app would have both. */
function duplicatesIn(
  scoped: readonly {
    readonly manifest: ComponentManifest;
    readonly scopes: readonly string[];
    readonly namespace: string;
    readonly file: ManifestFile;
  }[],
): readonly string[] {
  return scoped.flatMap((one, index) => {
    const earlier = scoped.slice(0, index).find((other) => {
      const isShared = (app: string): boolean => other.scopes.includes(app);
      const forAll = one.scopes.length === 0 || other.scopes.length === 0;
      const sameName = other.manifest.name === one.manifest.name;
      return sameName && other.namespace === one.namespace && (forAll || one.scopes.some(isShared));
    });
    if (earlier === undefined) return [];
    const { name } = one.manifest;
    return [
      `${one.file.file} metadata.name: ${name} is also in ${earlier.file.file}; a name may be used once`,
    ];
  });
}
