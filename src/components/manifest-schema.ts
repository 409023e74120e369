import * as z from 'zod';

import { hasNonFinite } from '../go/scalar-text';
import {
  DOCUMENT_HEAD,
  flag,
  listOf,
  OBJECT_METADATA,
  optionalStruct,
  optionalText,
  struct,
  text,
} from '../manifests/manifest-shape';

/** The schema of a component document (dapr/dapr pkg/apis/components/v1alpha1/types.go). */

const propertyValue = z.unknown().refine((value) => !hasNonFinite(value), {
  error: 'must be a finite number',
});

/** As in daprd, an entry may be empty or have no name. Then it is ignored. */
const property = optionalStruct({
  name: optionalText,
  value: propertyValue.optional(),
  secretKeyRef: optionalStruct({ name: optionalText, key: optionalText }),
  envRef: optionalText,
});

/** A name that can be used in a URL path, as daprd requires. */
const componentName = text.refine((name) => !/[/%]/.test(name) && name !== '.' && name !== '..', {
  error: 'must be usable in a URL path: no "/", no "%", not "." or ".."',
});

const spec = struct({
  type: text.refine((type) => type !== '', { error: 'must name a type, such as lock.redis' }),
  version: text.optional(),
  ignoreErrors: flag,
  initTimeout: text.optional(),
  metadata: listOf(property),
});

/** A component document. */
export const componentSchema = struct({
  ...DOCUMENT_HEAD,
  metadata: optionalStruct({
    ...OBJECT_METADATA,
    name: componentName.optional(),
    namespace: text.optional(),
  }),
  spec,
  scopes: listOf(text),
  auth: optionalStruct({ secretStore: optionalText }),
});

/** A component document that fits the schema. */
export type ComponentDocument = z.infer<typeof componentSchema>;
