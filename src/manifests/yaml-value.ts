import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';

import { resolvePlain, resolveTagged, ScalarError } from '../go/go-scalar';

/** A part of a document that has no plain value, with its position. */
export class YamlValueError extends Error {
  override readonly name = 'YamlValueError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Limit of the parts that come from aliases: a few lines can define billions. */
const MOST_ALIASED_PARTS = 10_000;

/**
 * Converts a document with unread scalars to a plain value, with the types of daprd's parser. Of
 * two equal keys, the last one is used.
 *
 * @throws {YamlValueError} for a scalar that is invalid for its tag, a key that is a list, a map or
 *   null, and aliases that are undefined, contain themselves, or expand too much
 */
export function toPlainValue(document: Document): unknown {
  return new ValueReader(document).read(document.contents);
}

class ValueReader {
  readonly #document: Document;
  /** The anchors that are being read, to detect one that contains itself. */
  readonly #open = new Set<Node>();
  #aliasedParts = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  read(node: unknown): unknown {
    if (isAlias(node)) return this.#readAlias(node);
    if (this.#open.size > 0) this.#countAliased(node);
    if (isScalar(node)) return toScalar(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item));
    return isMap(node) ? Object.fromEntries(this.#entriesOf(node)) : null;
  }

  #readAlias(alias: Alias): unknown {
    const target = alias.resolve(this.#document);
    const name = alias.source;
    if (target === undefined) throw problem(alias, `the alias *${name} has no anchor before it`);
    if (this.#open.has(target)) throw problem(alias, `the alias *${name} contains itself`);
    this.#open.add(target);
    const value = this.read(target);
    this.#open.delete(target);
    return value;
  }

  #countAliased(node: unknown): void {
    this.#aliasedParts += 1;
    if (this.#aliasedParts > MOST_ALIASED_PARTS) {
      throw problem(node, `aliases that expand to more than ${MOST_ALIASED_PARTS} parts`);
    }
  }

  #entriesOf(map: YAMLMap): Map<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) for (const entry of this.#merged(pair.value)) entries.set(...entry);
      else entries.set(this.#keyOf(pair, map), this.read(pair.value));
    }
    return entries;
  }

  /** Reads `<<`. As in daprd's parser, merged values override keys before them. */
  #merged(node: unknown): readonly (readonly [string, unknown])[] {
    const value = this.read(node);
    const maps: readonly unknown[] = Array.isArray(value) ? value.toReversed() : [value];
    if (!maps.every(isPlainMap)) {
      throw problem(node, '<< must be a map, an alias of a map, or a list of these');
    }
    return maps.flatMap((map) => Object.entries(map));
  }

  #keyOf({ key }: Pair, map: YAMLMap): string {
    const value = this.read(key);
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (typeof value === 'boolean') return String(value);
    throw problem(key ?? map, 'a key must be a string, a number or a boolean');
  }
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && (key.tag?.endsWith(':merge') ?? isPlain(key));
}

function toScalar(scalar: Scalar): unknown {
  // With this schema, every scalar is a string.
  const text = typeof scalar.value === 'string' ? scalar.value : '';
  if (scalar.tag === undefined) return isPlain(scalar) ? resolvePlain(text) : text;
  try {
    return resolveTagged(scalar.tag, text);
  } catch (error) {
    if (!(error instanceof ScalarError)) throw error;
    throw problem(scalar, error.message);
  }
}

function isPlain({ type }: Scalar): boolean {
  return type === undefined || type === 'PLAIN';
}

function isPlainMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(node: unknown, message: string): YamlValueError {
  return new YamlValueError(message, isNode(node) ? (node.range?.[0] ?? 0) : 0);
}
