import * as z from 'zod';

import {
  flag,
  listOf,
  optionalStruct,
  optionalText,
  struct,
  text,
} from '../manifests/manifest-shape';
import { hasNonFinite } from '../manifests/scalar-text';

/** The shape of a component document (dapr/dapr pkg/apis/components/v1alpha1/types.go). */

const propertyValue = z.unknown().refine((value) => !hasNonFinite(value), {
  error: 'must be a finite number',
});

const property = struct({
  name: text.refine((name) => name !== '', { error: 'must not be empty' }),
  value: propertyValue.optional(),
  secretkeyref: optionalStruct({ name: optionalText, key: optionalText }),
  envref: optionalText,
});

/** daprd takes a name only where it can stand in a URL's path. */
const componentName = text.refine((name) => !/[/%]/.test(name) && name !== '.' && name !== '..', {
  error: 'must be usable in a URL path: no "/", no "%", not "." or ".."',
});

const spec = struct({
  type: text.refine((type) => type !== '', { error: 'must name a type, such as lock.redis' }),
  version: text.optional(),
  ignoreerrors: flag,
  inittimeout: text.optional(),
  metadata: listOf(property),
});

/** A component document. */
export const componentSchema = struct({
  metadata: struct({ name: componentName.optional(), namespace: text.optional() }),
  spec,
  scopes: listOf(text),
  auth: optionalStruct({ secretstore: optionalText }),
});

/** A component document that fits the schema. */
export type ComponentDocument = z.infer<typeof componentSchema>;
