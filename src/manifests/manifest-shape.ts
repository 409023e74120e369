import * as z from 'zod';

import { toFieldText } from '../go/scalar-text';

// A manifest is read now and then: to compile its schema takes longer than to check it. Here, as every
// module that makes a schema imports from this one first.
z.config({ jitless: true });

/**
 * What Dapr's manifests of every kind have in common: scalars are taken as the text that they stand
 * for, and members that nobody knows are ignored here; {@link findUnknownNames} tells them.
 */

/** A scalar, as its text. */
export const text = z
  .custom<unknown>(
    (value) => value !== undefined && (value === null || typeof value !== 'object'),
    {
      error: ({ input }) =>
        input === undefined ? 'is missing' : 'must be a string, not a list or a map',
    },
  )
  .transform(toFieldText);

/** A text of which an empty one counts as absent, as Go can't tell the two apart. */
export const optionalText = text
  .optional()
  .transform((value) => (value === '' ? undefined : value));

/** A switch; null counts as absent. */
export const flag = z.preprocess(
  (value) => value ?? undefined,
  z.boolean({ error: 'must be true or false' }).optional(),
);

/** A member that daprd knows and that has no effect here, whatever it holds. */
export const unused = z.unknown().optional();

/**
 * A map with members of known names, which count without regard to case (sigs.k8s.io/yaml over Go
 * structs, so all manifests of resource folders).
 */
export function struct<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  const toKnownName = (name: string) => known.get(name.toLowerCase()) ?? name;
  return z.preprocess((value) => renameMembers(value, toKnownName), toObject(shape));
}

/** A {@link struct} that may be left out, or be there without content. */
export function optionalStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, struct(shape));
}

/** A map with members of known names, which count case and all (yaml.v3: the configuration). */
export function exactStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return toObject(shape);
}

/** An {@link exactStruct} that may be left out, or be there without content. */
export function optionalExactStruct<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, exactStruct(shape));
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

/** A word of a closed list, in any case; an empty one counts as absent. */
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

/** What tells the kinds of documents apart, and a whole document from the beginning of one. */
export const headSchema = struct({
  apiVersion: z.unknown().optional(),
  kind: z.unknown().optional(),
  spec: z.unknown().optional(),
});

/** What stands around the spec of a document of any kind. */
export const DOCUMENT_HEAD = { apiVersion: unused, kind: unused };

/** What Kubernetes keeps in the metadata of a document beside its name and namespace. */
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

/** Of two names that are known as one the last counts. */
function renameMembers(value: unknown, rename: (name: string) => string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [rename(name), member as unknown]),
  );
}
