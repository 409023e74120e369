import { createProblemLogger, type Say } from '../base/problem-logger';
import { toErrorMessage } from '../base/error-message';
import { toComponentKind } from '../components/component-kinds';
import { createLockStore, toKeyPrefix } from '../components/init-lock-store';
import type { ComponentManifest } from '../components/manifest';
import { MetadataProperties } from '../components/metadata-properties';
import { isOfKind, positionIn } from '../manifests/manifest-file';
import type { ManifestFile } from '../manifests/manifest-source';
import { findDriver } from '../stores/drivers';
import { SystemAuthorities } from '../trust/system-authorities';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the problems in a component's metadata, by the rules of its kind. */
export function checkComponent(
  manifest: ComponentManifest,
  { file, environment }: { readonly file: ManifestFile; readonly environment: Environment },
): readonly string[] {
  const kind = toComponentKind(manifest.type);
  if (kind === 'unknown') {
    return [`${placeOf(file, manifest, 'type')} spec.type: ${manifest.type} is unknown`];
  }
  if (kind !== 'lock') return [];
  const problems: string[] = [];
  const say = (problem: string): void => {
    if (isFromElsewhere(problem, manifest)) return;
    problems.push(`${placeOf(file, manifest, problem)} ${withoutWrapping(problem, manifest)}`);
  };
  try {
    checkStore(manifest, { environment, say });
  } catch (error) {
    for (const reason of toReasons(toErrorMessage(error))) say(reason);
  }
  return problems;
}

function checkStore(
  manifest: ComponentManifest,
  { environment, say }: { readonly environment: Environment; readonly say: Say },
): void {
  const { name, type, version, properties: sources } = manifest;
  const properties = new MetadataProperties(
    sources.map(({ name: key, value = '' }) => [key, value] as const),
  );
  const context = {
    componentName: name,
    properties,
    logger: createProblemLogger({ warn: say, error: say }),
  };
  const authorities = new SystemAuthorities(environment);
  const create = () => findDriver(type, version)?.create({ ...context, authorities });
  toKeyPrefix(manifest, properties, 'app');
  createLockStore(manifest, { create, redact: (text) => text });
}

/** True for what concerns a value that comes from a secret or the environment: it is empty here. */
function isFromElsewhere(problem: string, { properties }: ComponentManifest): boolean {
  if (problem.includes('is unknown')) return false;
  const words = wordsOf(problem);
  return properties.some(({ name, value }) => value === undefined && words.has(name.toLowerCase()));
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().split(/\W+/));
}

/** daprd lists what is wrong with each property on a line of its own. */
function toReasons(message: string): readonly string[] {
  const each = message.split('\n').filter((line) => line.startsWith('* '));
  return each.length === 0 ? [message] : each.map((line) => line.slice(2));
}

/** daprd's sentences around a reason name the component, as the position does. */
function withoutWrapping(problem: string, { name }: ComponentManifest): string {
  return problem
    .replace(/^(?:\[[A-Z_]+\]: \w+ error occurred for [^:]*: )+/, '')
    .replace(`Component ${name}: `, '');
}

/** Where the property is that a message names; else where the metadata is. */
function placeOf(file: ManifestFile, manifest: ComponentManifest, message: string): string {
  const document = file.documents.find(
    (candidate) => isOfKind(candidate, 'Component') && nameOf(candidate.value) === manifest.name,
  );
  if (document === undefined) return file.file;
  const placed = { file: file.file, document };
  if (message === 'type') return positionIn(placed, ['spec', 'type']);
  const names = listOf(document.value).map(({ name }) => name?.toLowerCase());
  const words = wordsOf(message);
  const index = names.findIndex((name) => name !== undefined && words.has(name));
  const wrongType = message.includes("couldn't find lock store");
  if (index < 0) return positionIn(placed, wrongType ? ['spec', 'type'] : ['spec', 'metadata']);
  const isUnknown = message.includes('is unknown');
  return positionIn(placed, ['spec', 'metadata', index, isUnknown ? 'name' : 'value']);
}

/** The parts of a document that is known to be a component. */
interface RawComponent {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly metadata?: readonly { readonly name?: string }[] };
}

function nameOf(document: unknown): string | undefined {
  return (document as RawComponent).metadata?.name;
}

function listOf(document: unknown): readonly { readonly name?: string }[] {
  return (document as RawComponent).spec?.metadata ?? [];
}
