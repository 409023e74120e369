import type { MethodAccess } from '../api/api-groups';
import type { MethodRow } from '../api/api-method';

/** A method that only the gRPC transport serves. Its handler is not in a method table. */
export interface TransportMethod extends MethodRow {
  readonly grpcPath: string;
  /** grpc-js's name for the kind of method. */
  readonly kind: 'unary' | 'serverStream' | 'bidi';
}

/** The methods of grpc/health/v1/health.proto. */
export const HEALTH_METHODS: readonly TransportMethod[] = [
  toMethod('/grpc.health.v1.Health/Check', { access: 'probe', kind: 'unary' }),
  toMethod('/grpc.health.v1.Health/List', { access: 'probe', kind: 'unary' }),
  toMethod('/grpc.health.v1.Health/Watch', { access: 'probe', kind: 'serverStream' }),
];

/** The methods of grpc/reflection/v1/reflection.proto and its predecessor v1alpha. */
export const REFLECTION_METHODS: readonly TransportMethod[] = [
  toMethod('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', {
    access: 'always',
    kind: 'bidi',
  }),
  toMethod('/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', {
    access: 'always',
    kind: 'bidi',
  }),
];

/** All of them. They have rows like other methods, because a path without a row is never served. */
export const TRANSPORT_METHODS: readonly TransportMethod[] = [
  ...HEALTH_METHODS,
  ...REFLECTION_METHODS,
];

function toMethod(
  grpcPath: string,
  options: { readonly access: MethodAccess; readonly kind: TransportMethod['kind'] },
): TransportMethod {
  const operation = grpcPath.slice(grpcPath.lastIndexOf('/') + 1);
  return { operation, grpcPath, http: [], isPublic: false, ...options };
}
