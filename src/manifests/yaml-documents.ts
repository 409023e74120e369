import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';

import { toPlainValue, YamlValueError } from './yaml-value';

/** A path in a document: member names and list positions from the top. */
export type DocumentPath = readonly (string | number)[];

/** A YAML document: its value, and the positions of its parts in the file. */
export interface YamlDocument {
  /**
   * The value. Whole numbers are bigints, so that no digits are lost. Undefined if the document
   * can't be read.
   */
  readonly value: unknown;
  /** Why it can't be read: one line for each problem, as `line:column what`. */
  readonly problem: string | undefined;
  /**
   * `line:column` of a part, or of the nearest existing part around it. Both count from 1. Undefined
   * if the document is not from a file.
   */
  readonly positionOf: (path: DocumentPath) => string | undefined;
}

/**
 * The separator of documents. As in daprd, it is recognised at the start of any line, so that a
 * document that can't be read does not affect the others.
 */
const SEPARATOR = /\n---[^\n]*(?:\n|$)/g;

/**
 * Parses the documents of a file as daprd's parser (sigs.k8s.io/yaml) does: `yes` is true and
 * `0644` is 420, but times and dates stay text. Of two equal keys, the last one is used.
 */
export function parseYamlDocuments(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
  return splitDocuments(text).flatMap(({ part, offset }) =>
    parsePart(part, (at) => positionAt(lines, offset + at)),
  );
}

function splitDocuments(text: string) {
  const parts: { readonly part: string; readonly offset: number }[] = [];
  let offset = 0;
  for (const { index, 0: separator } of text.matchAll(SEPARATOR)) {
    parts.push({ part: text.slice(offset, index), offset });
    offset = index + separator.length;
  }
  return [...parts, { part: text.slice(offset), offset }];
}

/**
 * Parses a part, which is usually one document. `...` and a `---` in the first line also end a
 * document, and an empty part is one too.
 */
function parsePart(part: string, toPosition: (offset: number) => string): readonly YamlDocument[] {
  const documents: readonly Document[] = parseAllDocuments(part, {
    version: '1.1',
    // Scalars stay as written, because no schema of this library reads them as daprd does.
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (documents.length === 0) {
    return [{ value: null, problem: undefined, positionOf: () => toPosition(0) }];
  }
  return documents.map((document) => {
    const positionOf = (path: DocumentPath) => toPosition(offsetOf(document, path));
    const lines = document.errors.map(({ message, pos: [at] }) => `${toPosition(at)} ${message}`);
    if (lines.length > 0) return { value: undefined, problem: lines.join('\n'), positionOf };
    try {
      return { value: toPlainValue(document), problem: undefined, positionOf };
    } catch (error) {
      if (!(error instanceof YamlValueError)) throw error;
      const problem = `${toPosition(error.offset)} ${error.message}`;
      return { value: undefined, problem, positionOf };
    }
  });
}

function positionAt(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

function offsetOf(document: Document, path: DocumentPath): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    node = childOf(document, node, step);
    if (node === null) break;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}

function childOf(document: Document, node: Node | null, step: string | number): Node | null {
  const parent = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(parent)) return asNode(parent.items[Number(step)]);
  if (!isMap(parent)) return null;
  const pair = parent.items.findLast(
    ({ key }) => isScalar(key) && String(key.value).toLowerCase() === String(step).toLowerCase(),
  );
  return asNode(pair?.value);
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}
