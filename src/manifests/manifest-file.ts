import type { z, ZodError } from 'zod';

import { headSchema } from './manifest-shape';
import { parseYamlDocuments, type YamlDocument } from './yaml-documents';

/**
 * A file that can't be used. The message has one line for each problem: `file:line:column path:
 * what`.
 */
export class ManifestFileError extends Error {
  override readonly name = 'ManifestFileError';
}

/** The only API version of Dapr's manifests. */
export const API_VERSION = 'dapr.io/v1alpha1';

/** A document with its file. */
export interface PlacedDocument {
  readonly file: string;
  readonly document: YamlDocument;
}

/** Parses the documents of a file. Their problems contain the file name. */
export function parseFile(file: string, text: string): readonly YamlDocument[] {
  return parseYamlDocuments(text).map((document) => {
    if (document.problem === undefined) return document;
    const lines = document.problem.split('\n').map((line) => `${file}:${line}`);
    return { ...document, problem: lines.join('\n') };
  });
}

/** True for a document of this kind and, unless `anyVersion` is set, of Dapr's API version. */
export function isOfKind(
  { value }: YamlDocument,
  kind: string,
  { anyVersion = false }: { readonly anyVersion?: boolean } = {},
): boolean {
  const { success, data } = headSchema.safeParse(value);
  return success && data.kind === kind && (anyVersion || data.apiVersion === API_VERSION);
}

/**
 * Reads a document with its schema.
 *
 * @throws {ManifestFileError} with all problems of the document
 */
export function parseDocument<Schema extends z.ZodType>(
  schema: Schema,
  placed: PlacedDocument,
): z.infer<Schema> {
  const result = schema.safeParse(placed.document.value);
  if (result.success) return result.data;
  throw new ManifestFileError(toProblems(placed, result.error).join('\n'));
}

/** Collects the problems of several documents of a file. */
export class ProblemCollector {
  readonly #problems: string[] = [];

  /** Runs a part of the reading. If it has problems, they are kept, and the result is undefined. */
  collect<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof ManifestFileError)) throw error;
      this.#problems.push(error.message);
      return undefined;
    }
  }

  /** @throws {ManifestFileError} with all collected problems, if there are any */
  assertNone(): void {
    if (this.#problems.length > 0) throw new ManifestFileError(this.#problems.join('\n'));
  }
}

/** `file:line:column` of a part of a document, or only its name if it is not from a file. */
export function positionIn(
  { file, document }: PlacedDocument,
  path: readonly (string | number)[],
): string {
  const position = document.positionOf(path);
  return position === undefined ? file : `${file}:${position}`;
}

function toProblems(placed: PlacedDocument, error: ZodError): readonly string[] {
  return error.issues.map(({ path: members, message }) => {
    const steps = members.map((step) => (typeof step === 'number' ? step : String(step)));
    const path = toPathText(steps, placed.document.value);
    return `${positionIn(placed, steps)} ${path}: ${message}`;
  });
}

/** The path as written in the document. Names are matched in lower case. */
function toPathText(steps: readonly (string | number)[], document: unknown): string {
  let [path, value] = ['', document];
  for (const step of steps) {
    const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    const wanted = String(step).toLowerCase();
    const [name, member] = members.findLast(([key]) => key.toLowerCase() === wanted) ?? [];
    path += typeof step === 'number' ? `[${step}]` : `.${name ?? step}`;
    value = member;
  }
  return path.slice(1);
}
