import type { Server, UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { FileDescriptorProto } from 'protobufjs/ext/descriptor';

import type { OpenStreams } from './open-streams';
import { isMessageType, loadDaprPackage } from './proto-files';

/**
 * Adds server reflection v1 and v1alpha, so that grpcurl and its like need no proto file; daprd
 * has it too, but its tracing breaks it by default.
 */
export function addReflection(server: Server, streams: OpenStreams): void {
  const packages = { ...loadDaprPackage(), ...loadSync(healthProtoPath, { keepCase: true }) };
  const reflection = new ReflectionService(withImports(packages));
  reflection.addToServer({
    addService: (definition, implementation: UntypedServiceImplementation) => {
      server.addService(definition, streams.track(implementation, ['ServerReflectionInfo']));
    },
  });
}

/** The one package that the others import from. */
const IMPORTED_PACKAGE = 'google.protobuf';

/**
 * Restores the import lines of the descriptors. proto-loader makes one file of each package and
 * drops the imports between them (grpc/grpc-node#2595), and grpcurl then can't resolve `Empty`.
 */
function withImports(packages: PackageDefinition): PackageDefinition {
  const repaired: PackageDefinition = {};
  for (const [name, definition] of Object.entries(packages)) {
    repaired[name] = isMessageType(definition) ? repair(definition) : definition;
  }
  return repaired;
}

/** The fields of protobufjs's FileDescriptorProto that are touched; its own types leave them out. */
interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  dependency: readonly string[];
}

function repair<Type extends { fileDescriptorProtos: Buffer[] }>(definition: Type): Type {
  const messages = definition.fileDescriptorProtos.map((bytes) =>
    FileDescriptorProto.decode(bytes),
  );
  const files = messages as unknown as readonly FileDescriptor[];
  const imports = files.filter((file) => file.package === IMPORTED_PACKAGE);
  for (const file of files) {
    if (!imports.includes(file)) file.dependency = imports.map(({ name }) => name);
  }
  const encoded = messages.map((file) => Buffer.from(FileDescriptorProto.encode(file).finish()));
  return { ...definition, fileDescriptorProtos: encoded };
}
