import * as z from 'zod';

import { findNearest } from '../base/nearest-name';
import { type PlacedDocument, positionIn } from './manifest-file';

/** An unknown name in a document. It is probably a mistake, and daprd ignores it silently. */
export interface UnknownName {
  /** Its path, as written. */
  readonly path: readonly (string | number)[];
  /** The known name that was probably meant. */
  readonly nearest: string | undefined;
  /** True if a map around it has a member of this name, so that it is probably indented too far. */
  readonly isTooDeep: boolean;
}

/**
 * Finds the unknown names in a value at any depth. The schema must consist of parts from
 * manifest-shape.
 *
 * @param isExact true if names are case-sensitive
 */
export function findUnknownNames(
  schema: z.ZodType,
  value: unknown,
  isExact = false,
): readonly UnknownName[] {
  return [...walk({ schema, value, path: [], outer: [], isExact })];
}

/** Sentences about the unknown names for the log, with their places. */
export function describeUnknownNames(
  schema: z.ZodType,
  placed: PlacedDocument,
  isExact = false,
): readonly string[] {
  return findUnknownNames(schema, placed.document.value, isExact).map((unknown) => {
    const { path } = unknown;
    return `${positionIn(placed, path)} ${toPathText(path)} is unknown and ignored${toHint(unknown)}`;
  });
}

function toHint({ path, nearest, isTooDeep }: UnknownName): string {
  if (isTooDeep) return ': it is nested too deep, check its indentation';
  if (nearest === undefined) return '';
  const isCase = nearest.toLowerCase() === String(path.at(-1)).toLowerCase();
  const reason = isCase ? ' (names are case-sensitive here)' : '';
  return `${reason}; did you mean ${nearest}?`;
}

/** A path as it is written in a file: `spec.metadata[0].name`. */
export function toPathText(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

interface Place {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly path: UnknownName['path'];
  /** The known names of the surrounding maps. */
  readonly outer: readonly string[];
  readonly isExact: boolean;
}

function* walk(place: Place): Generator<UnknownName> {
  const { schema, value, path } = place;
  if (schema instanceof z.ZodPipe) {
    yield* walk({ ...place, schema: schema.in as z.ZodType });
    yield* walk({ ...place, schema: schema.out as z.ZodType });
  } else if (schema instanceof z.ZodOptional) {
    yield* walk({ ...place, schema: schema.unwrap() as z.ZodType });
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) yield* walk({ ...place, schema: option as z.ZodType });
  } else if (schema instanceof z.ZodArray && Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* walk({
        ...place,
        schema: schema.element as z.ZodType,
        value: item,
        path: [...path, index],
      });
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    yield* walkMap(place, Object.entries(value));
  }
}

function* walkMap(place: Place, members: [string, unknown][]): Generator<UnknownName> {
  const { schema, outer, isExact } = place;
  for (const [name, value] of members) {
    const path = [...place.path, name];
    if (schema instanceof z.ZodRecord) {
      yield* walk({ ...place, schema: schema.valueType as z.ZodType, value, path });
    } else if (schema instanceof z.ZodObject) {
      const names = Object.keys(schema.shape);
      const known = findName(names, name, isExact);
      if (known === undefined) {
        const isTooDeep = findName(outer, name, isExact) !== undefined;
        yield { path, nearest: findNearest(name, names), isTooDeep };
      } else {
        const member = (schema.shape as Record<string, z.ZodType>)[known] ?? z.unknown();
        yield* walk({ ...place, schema: member, value, path, outer: [...outer, ...names] });
      }
    }
  }
}

function findName(names: readonly string[], name: string, isExact: boolean): string | undefined {
  if (isExact) return names.find((known) => known === name);
  return names.find((known) => known.toLowerCase() === name.toLowerCase());
}
