import { parseGoDuration } from '../go/go-values';
import { toText } from '../go/scalar-text';
import {
  isOfKind,
  ManifestFileError,
  parseDocument,
  type PlacedDocument,
  positionIn,
} from '../manifests/manifest-file';
import { describeUnknownNames } from '../manifests/unknown-names';
import type { YamlDocument } from '../manifests/yaml-documents';
import type { ComponentManifest, PropertySource } from './manifest';
import { type ComponentDocument, componentSchema } from './manifest-schema';
import { describeUnknownProperties } from './unknown-properties';

/** A component in a file, with the fields that decide whether it is meant for this sidecar. */
export interface ScopedManifest {
  readonly manifest: ComponentManifest;
  /** Empty if the file has none. */
  readonly namespace: string;
  /** App ids; empty for all. */
  readonly scopes: readonly string[];
  /** Warnings about parts that have no effect, probably by mistake. */
  readonly warnings: readonly string[];
}

/** The components and problems in the documents of one file. */
export interface ComponentsOfFile {
  readonly manifests: readonly ScopedManifest[];
  /** All problems of the documents that can't be read. */
  readonly problems: readonly string[];
}

/** daprd's default in milliseconds, also used for invalid values. */
const DEFAULT_INIT_TIMEOUT_MS = 5000;

/**
 * The longest usable timeout in milliseconds, with some reserve. Node would run a longer timer at
 * once.
 */
const LONGEST_INIT_TIMEOUT_MS = 2 ** 31 - 1000;

/**
 * Reads the components in the documents of one file and ignores other kinds. As in daprd, a
 * document that can't be read does not affect the others.
 */
export function parseComponents(
  file: string,
  documents: readonly YamlDocument[],
): ComponentsOfFile {
  const [manifests, problems]: [ScopedManifest[], string[]] = [[], []];
  for (const document of documents) {
    if (document.problem !== undefined) problems.push(document.problem);
    if (!isOfKind(document, 'Component')) continue;
    try {
      manifests.push(parseComponent({ file, document }));
    } catch (error) {
      if (!(error instanceof ManifestFileError)) throw error;
      problems.push(error.message, ...describeUnknownNames(componentSchema, { file, document }));
    }
  }
  return { manifests, problems };
}

function parseComponent(placed: PlacedDocument): ScopedManifest {
  const { metadata, spec, scopes, auth } = parseDocument(componentSchema, placed);
  const manifest = {
    name: metadata.name ?? '',
    type: spec.type,
    version: spec.version ?? '',
    properties: spec.metadata.flatMap(toPropertySource),
    secretStore: auth.secretStore,
    ignoreErrors: spec.ignoreErrors ?? false,
    initTimeoutMs: toInitTimeout(spec.initTimeout ?? ''),
    file: placed.file,
  };
  const warnings = [
    ...describeUnknownNames(componentSchema, placed),
    ...describeNameless(spec.metadata, placed),
    ...describeUnknownProperties(spec, placed),
  ];
  return { manifest, namespace: metadata.namespace ?? '', scopes, warnings };
}

type Property = ComponentDocument['spec']['metadata'][number];

function toPropertySource({ name, value, secretKeyRef, envRef }: Property): PropertySource[] {
  if (name === undefined) return [];
  const secret =
    secretKeyRef.name === undefined
      ? undefined
      : { name: secretKeyRef.name, key: secretKeyRef.key ?? secretKeyRef.name };
  const isThere = value !== undefined && value !== null;
  return [{ name, value: isThere ? toText(value) : undefined, secret, env: envRef }];
}

function describeNameless(
  properties: readonly Property[],
  placed: PlacedDocument,
): readonly string[] {
  return properties.flatMap(({ name }, index) =>
    name === undefined
      ? [
          `${positionIn(placed, ['spec', 'metadata', index])} spec.metadata[${index}] has no name and is ignored`,
        ]
      : [],
  );
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
