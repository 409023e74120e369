import { parseGoDuration } from '../manifests/go-values';
import {
  isOfKind,
  parseDocument,
  type PlacedDocument,
  ProblemCollector,
} from '../manifests/manifest-file';
import { toText } from '../manifests/scalar-text';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { ComponentManifest, PropertySource } from './manifest';
import { type ComponentDocument, componentSchema } from './manifest-schema';

/** A component of a file, with what decides whether it is meant for a sidecar. */
export interface ScopedManifest {
  readonly manifest: ComponentManifest;
  /** Empty where the file names none. */
  readonly namespace: string;
  /** App ids; empty for all. */
  readonly scopes: readonly string[];
}

/** daprd's default, in milliseconds, also for values that it can't read. */
const DEFAULT_INIT_TIMEOUT_MS = 5000;

/** As far as Node's timers reach, with room for what is added; a longer one would fire at once. */
const LONGEST_INIT_TIMEOUT_MS = 2 ** 31 - 1000;

/**
 * Reads the components among the documents of one file; those of other kinds are passed over.
 *
 * @throws {ManifestFileError} with every problem of the file, not only the first
 */
export function parseComponents(
  file: string,
  documents: readonly YamlDocument[],
): readonly ScopedManifest[] {
  const problems = new ProblemCollector();
  const manifests = documents
    .filter((document) => isOfKind(document, 'Component'))
    .map((document) => problems.collect(() => parseComponent({ file, document })));
  problems.assertNone();
  return manifests.filter((manifest) => manifest !== undefined);
}

function parseComponent(placed: PlacedDocument): ScopedManifest {
  const { metadata, spec, scopes, auth } = parseDocument(componentSchema, placed);
  const manifest = {
    name: metadata.name ?? '',
    type: spec.type,
    version: spec.version ?? '',
    properties: spec.metadata.map(toPropertySource),
    secretStore: auth.secretstore,
    ignoreErrors: spec.ignoreerrors ?? false,
    initTimeoutMs: toInitTimeout(spec.inittimeout ?? ''),
    file: placed.file,
  };
  return { manifest, namespace: metadata.namespace ?? '', scopes };
}

function toPropertySource({
  name,
  value,
  secretkeyref,
  envref,
}: ComponentDocument['spec']['metadata'][number]): PropertySource {
  return {
    name,
    value: value === undefined || value === null ? undefined : toText(value),
    secret:
      secretkeyref.name === undefined
        ? undefined
        : { name: secretkeyref.name, key: secretkeyref.key ?? secretkeyref.name },
    env: envref,
  };
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
