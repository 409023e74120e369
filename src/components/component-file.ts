import type { ZodError } from 'zod';

import type { ComponentManifest } from './manifest';
import { type ComponentDocument, componentSchema, documentHeadSchema } from './manifest-schema';
import { MetadataProperties } from './metadata-properties';
import { parseGoDuration } from './metadata-values';
import { toText } from './scalar-text';
import { parseYamlDocuments, YamlSyntaxError, type YamlDocument } from './yaml-documents';

/** A component of a file, with what decides whether it is meant for a sidecar. */
export interface ScopedManifest {
  readonly manifest: ComponentManifest;
  /** Empty where the file names none. */
  readonly namespace: string;
  /** App ids; empty for all. */
  readonly scopes: readonly string[];
}

/** A file that can't be used; one line for each problem, as `file:line:column path: what`. */
export class ComponentFileError extends Error {
  override readonly name = 'ComponentFileError';
}

/** daprd's default, in milliseconds, also for values that it can't read. */
const DEFAULT_INIT_TIMEOUT_MS = 5000;

/** As far as Node's timers reach, with room for what is added; a longer one would fire at once. */
const LONGEST_INIT_TIMEOUT_MS = 2 ** 31 - 1000;

/**
 * Reads the components of one file; documents of other kinds are passed over.
 *
 * @throws {ComponentFileError} with every problem of the file, not only the first
 */
export function parseComponentFile(file: string, text: string): readonly ScopedManifest[] {
  const manifests: ScopedManifest[] = [];
  const problems: string[] = [];
  for (const document of readDocuments(file, text).filter(isComponent)) {
    const result = componentSchema.safeParse(document.value);
    if (result.success) manifests.push(toManifest(file, document, result.data));
    else problems.push(...toProblems(file, document, result.error));
  }
  if (problems.length > 0) throw new ComponentFileError(problems.join('\n'));
  return manifests;
}

function readDocuments(file: string, text: string): readonly YamlDocument[] {
  try {
    return parseYamlDocuments(text);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const lines = error.message.split('\n').map((line) => `${file}:${line}`);
    throw new ComponentFileError(lines.join('\n'), { cause: error });
  }
}

function isComponent({ value }: YamlDocument): boolean {
  const { success, data } = documentHeadSchema.safeParse(value);
  return success && data.apiversion === 'dapr.io/v1alpha1' && data.kind === 'Component';
}

function toProblems(file: string, document: YamlDocument, error: ZodError): readonly string[] {
  return error.issues.map(({ path, message }) => {
    const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
    return `${file}:${document.positionOf(steps)} ${toPathText(steps)}: ${message}`;
  });
}

function toPathText(steps: readonly (string | number)[]): string {
  return steps
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);
}

function toManifest(
  file: string,
  document: YamlDocument,
  { metadata, spec, scopes }: ComponentDocument,
): ScopedManifest {
  const manifest = {
    name: metadata.name ?? '',
    type: spec.type,
    version: spec.version ?? '',
    metadata: new MetadataProperties(
      spec.metadata.map(({ name, value }) => [name, toText(value)] as const),
    ),
    ignoreErrors: spec.ignoreerrors ?? false,
    initTimeoutMs: toInitTimeout(spec.inittimeout ?? ''),
    file,
    obstacles: findReferences(file, document, spec.metadata),
  };
  return { manifest, namespace: metadata.namespace ?? '', scopes };
}

function toInitTimeout(text: string): number {
  try {
    const timeoutMs = parseGoDuration(text);
    if (timeoutMs <= 0) return DEFAULT_INIT_TIMEOUT_MS;
    return Math.min(timeoutMs, LONGEST_INIT_TIMEOUT_MS);
  } catch {
    return DEFAULT_INIT_TIMEOUT_MS;
  }
}

/**
 * References to secrets and to the environment, which are not resolved yet. To go on without the
 * value, as daprd does, would open a store with an empty password.
 */
function findReferences(
  file: string,
  document: YamlDocument,
  properties: ComponentDocument['spec']['metadata'],
): readonly string[] {
  return properties.flatMap(({ name, value, secretkeyref, envref }, index) => {
    const present = {
      secretKeyRef: secretkeyref,
      envRef: value === undefined ? envref : undefined,
    };
    const used = Object.entries(present).filter(
      ([, value]) => value !== undefined && value !== null,
    );
    return used.map(([kind]) => {
      const at = document.positionOf(['spec', 'metadata', index, kind]);
      return `${file}:${at} metadata property ${name}: ${kind} is not supported yet; give a value`;
    });
  });
}
