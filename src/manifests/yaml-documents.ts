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
  type Tags,
} from 'yaml';

import { toErrorMessage } from '../lock/error-message';

/** Where something stands in a document: member names and list positions from the top. */
export type DocumentPath = readonly (string | number)[];

/** A YAML document: its plain value, and where in the file its parts stand. */
export interface YamlDocument {
  /** Whole numbers are bigints, so that none loses digits. */
  readonly value: unknown;
  /** `line:column` of a part, or of the nearest part around it that is there; both count from 1. */
  readonly positionOf: (path: DocumentPath) => string;
}

/** A file that is no YAML; the message has one line for each problem, as `line:column what`. */
export class YamlSyntaxError extends Error {
  override readonly name = 'YamlSyntaxError';
}

/**
 * Parses a file of YAML 1.1 documents as daprd's parser (sigs.k8s.io/yaml) resolves them: `yes` is
 * true and `0644` is 420, but times of day and dates stay text; of two equal keys the last wins.
 *
 * @throws {YamlSyntaxError} naming every problem of the file
 */
export function parseYamlDocuments(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const documents: readonly Document[] = parseAllDocuments(text, {
    version: '1.1',
    customTags: withoutTimes,
    merge: true,
    uniqueKeys: false,
    intAsBigInt: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const problems = documents.flatMap(({ errors }) =>
    errors.map(({ message, pos: [offset] }) => `${positionAt(lines, offset)} ${message}`),
  );
  if (problems.length > 0) throw new YamlSyntaxError(problems.join('\n'));
  return documents.map((document) => {
    const positionOf = (path: DocumentPath) => positionAt(lines, offsetOf(document, path));
    return { value: toValue(document, positionOf([])), positionOf };
  });
}

/** Aliases are resolved only here: one without its anchor, or too many of them, is a problem too. */
function toValue(document: Document, position: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    throw new YamlSyntaxError(`${position} ${toErrorMessage(error)}`, { cause: error });
  }
}

/** The parts of YAML 1.1 that daprd's parser does not know: 12:30 would be 750 minutes. */
function withoutTimes(tags: Tags): Tags {
  return tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      !(tag.tag.endsWith(':timestamp') || ('format' in tag && tag.format === 'TIME')),
  );
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
