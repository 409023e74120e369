import * as z from 'zod';

import { toText } from './scalar-text';

// A manifest is read now and then: to compile its schema takes longer than to check it. Here, as every
// module that makes a schema imports from this one first.
z.config({ jitless: true });

/**
 * What Dapr's manifests of every kind have in common (sigs.k8s.io/yaml over Go structs): member
 * names count without regard to case, unknown members are ignored, scalars are taken as the text
 * that they stand for.
 */

/** A scalar, as its text. */
export const text = z
  .union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()], {
    error: 'must be a text, not a list or a map',
  })
  .transform(toText);

/** A text of which an empty one counts as absent, as Go can't tell the two apart. */
export const optionalText = text
  .optional()
  .transform((value) => (value === '' ? undefined : value));

/** A switch; null counts as absent. */
export const flag = z.preprocess(
  (value) => value ?? undefined,
  z.boolean({ error: 'must be true or false' }).optional(),
);

/** Lower-cases the names of a map's members; anything else is left to the schema to refuse. */
function lowerCaseNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toLowerCase(), member as unknown]),
  );
}

/** A map with members of known names, which stand lower-cased in the shape. */
export function struct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(lowerCaseNames, z.object(shape, { error: 'must be a map' }));
}

/** A {@link struct} that may be left out, or be there without content. */
export function optionalStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, struct(shape));
}

/** A list that may be left out. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) => value ?? [],
    z.array(item, { error: 'must be a list (lines that start with "- ")' }),
  );
}

/** A map of names that the user chose, case and all; it may be left out. */
export function mapOf<Value extends z.ZodType>(value: Value) {
  return z.preprocess(
    (members) => members ?? {},
    z.record(z.string(), value, { error: 'must be a map' }),
  );
}

/** What tells the kinds of documents apart, and a whole document from the beginning of one. */
export const headSchema = struct({
  apiversion: z.unknown().optional(),
  kind: z.unknown().optional(),
  spec: z.unknown().optional(),
});
