import * as z from 'zod';

import { toFieldText } from '../go/scalar-text';

// Manifests are read rarely, and compiling a schema takes longer than a check. This is set here, because every
// module with a schema imports this one first.
z.config({ jitless: true });

/**
 * The parts of schemas for Dapr's manifests: scalars are read as text, and unknown members are
 * ignored here. {@link findUnknownNames} reports them.
 */

/** A scalar as text. */
export const text = z
  .custom<unknown>(
    (value) => value !== undefined && (value === null || typeof value !== 'object'),
    {
      error: ({ input }) =>
        input === undefined ? 'is missing' : 'must be a string, not a list or a map',
    },
  )
  .transform(toFieldText);

/** A text. An empty one counts as missing, because Go can't tell them apart. */
export const optionalText = text
  .optional()
  .transform((value) => (value === '' ? undefined : value));

/** A boolean. Null counts as missing. */
export const flag = z.preprocess(
  (value) => value ?? undefined,
  z.boolean({ error: 'must be true or false' }).optional(),
);

/** A member that daprd knows, but that has no effect here. */
export const unused = z.unknown().optional();

/**
 * A map with known names, matched without regard to case (sigs.k8s.io/yaml over Go structs: all
 * manifests in resource folders).
 */
export function struct<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  const toKnownName = (name: string) => known.get(name.toLowerCase()) ?? name;
  return z.preprocess((value) => renameMembers(value, toKnownName), toObject(shape));
}

/** A {@link struct} that may be missing or empty. */
export function optionalStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, struct(shape));
}

/** A map with known names, matched with case (yaml.v3: the configuration). */
export function exactStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return toObject(shape);
}

/** An {@link exactStruct} that may be missing or empty. */
export function optionalExactStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, exactStruct(shape));
}

/** A list that may be missing. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) => value ?? [],
    z.array(item, { error: 'must be a list (lines that start with "- ")' }),
  );
}

/** A map with names chosen by the user, with case. It may be missing. */
export function mapOf<Value extends z.ZodType>(value: Value) {
  return z.preprocess(
    (members) => members ?? {},
    z.record(z.string(), value, { error: 'must be a map' }),
  );
}

/** A word from a fixed list, in any case. An empty one counts as missing. */
export function optionalWord<const Words extends readonly [string, ...string[]]>(words: Words) {
  const allowed = words.join(' or ');
  return optionalText.transform((value, context): Words[number] | undefined => {
    if (value === undefined) return undefined;
    const word = words.find((candidate) => candidate === value.toLowerCase());
    if (word !== undefined) return word;
    context.addIssue({ code: 'custom', message: `must be ${allowed}, not "${value}"` });
    return z.NEVER;
  });
}

/** The fields that identify the kind of a document, and whether it is complete. */
export const headSchema = struct({
  apiVersion: z.unknown().optional(),
  kind: z.unknown().optional(),
  spec: z.unknown().optional(),
});

/** The fields around the spec of any document. */
export const DOCUMENT_HEAD = { apiVersion: unused, kind: unused };

/** The fields of Kubernetes in the metadata of a document, besides name and namespace. */
export const OBJECT_METADATA = {
  annotations: unused,
  creationTimestamp: unused,
  deletionGracePeriodSeconds: unused,
  deletionTimestamp: unused,
  finalizers: unused,
  generateName: unused,
  generation: unused,
  labels: unused,
  managedFields: unused,
  ownerReferences: unused,
  resourceVersion: unused,
  selfLink: unused,
  uid: unused,
};

function toObject<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape, {
    error: ({ input }) => (input === undefined ? 'is missing' : 'must be a map'),
  });
}

/** Renames members. If two names become equal, the last one is used. */
function renameMembers(value: unknown, rename: (name: string) => string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [rename(name), member as unknown]),
  );
}
