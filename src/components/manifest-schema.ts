import { z } from 'zod';

import { hasNonFinite, toText } from './scalar-text';

/**
 * The shape of a component file's document (dapr/dapr pkg/apis/components/v1alpha1/types.go).
 * Member names count without regard to case, unknown members are ignored, scalars are taken as the
 * text that they stand for: what daprd's parser lets through.
 */

const text = z
  .union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()], {
    error: 'must be a text, not a list or a map',
  })
  .transform(toText);

/** Lower-cases the names of a map's members; anything else is left to the schema to refuse. */
function lowerCaseNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toLowerCase(), member as unknown]),
  );
}

function struct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(lowerCaseNames, z.object(shape, { error: 'must be a map' }));
}

function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) => value ?? [],
    z.array(item, { error: 'must be a list (lines that start with "- ")' }),
  );
}

const propertyValue = z.unknown().refine((value) => !hasNonFinite(value), {
  error: 'must be a finite number',
});

const property = struct({
  name: text.refine((name) => name !== '', { error: 'must not be empty' }),
  value: propertyValue.optional(),
  secretkeyref: z.unknown().optional(),
  envref: text.optional(),
});

/** daprd takes a name only where it can stand in a URL's path. */
const componentName = text.refine((name) => !/[/%]/.test(name) && name !== '.' && name !== '..', {
  error: 'must be usable in a URL path: no "/", no "%", not "." or ".."',
});

const spec = struct({
  type: text.refine((type) => type !== '', { error: 'must name a type, such as lock.redis' }),
  version: text.optional(),
  ignoreerrors: z.boolean({ error: 'must be true or false' }).optional(),
  inittimeout: text.optional(),
  metadata: listOf(property),
});

/** What tells the kinds of documents in a resource folder apart. */
export const documentHeadSchema = struct({
  apiversion: z.unknown().optional(),
  kind: z.unknown().optional(),
});

/** A component document. */
export const componentSchema = struct({
  metadata: struct({ name: componentName.optional(), namespace: text.optional() }),
  spec,
  scopes: listOf(text),
});

/** A component document that fits the schema. */
export type ComponentDocument = z.infer<typeof componentSchema>;
