import type { MethodAccess } from './api-groups';
import type { MethodRow } from './api-method';

/**
 * Methods that only the gRPC transport serves, with its own libraries. They have rows because a
 * method without a row is never served. They have no handlers here.
 */
export const GRPC_ONLY_METHODS: readonly MethodRow[] = [
  toRow('/grpc.health.v1.Health/Check', 'probe'),
  toRow('/grpc.health.v1.Health/List', 'probe'),
  toRow('/grpc.health.v1.Health/Watch', 'probe'),
  toRow('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 'always'),
  toRow('/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', 'always'),
];

function toRow(grpcPath: string, access: MethodAccess): MethodRow {
  const operation = grpcPath.slice(grpcPath.lastIndexOf('/') + 1);
  return { operation, access, grpcPath, http: [], isPublic: false };
}
