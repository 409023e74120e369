import type {
  handleBidiStreamingCall,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { FileDescriptorProto } from 'protobufjs/ext/descriptor';

import type { ServiceMethod, ServiceMethods } from './late-services';
import type { OpenStreams } from './open-streams';
import { isMessageType, loadDaprPackage } from './proto-files';

/**
 * Makes server reflection v1 and v1alpha, so that grpcurl and its like need no proto file; daprd
 * has it too, but its tracing breaks it by default.
 */
export function createReflectionMethods(streams: OpenStreams): ServiceMethods {
  const packages = { ...loadDaprPackage(), ...loadSync(healthProtoPath, { keepCase: true }) };
  const reflection = new ReflectionService(mended(packages));
  const methods = new Map<string, ServiceMethod>();
  reflection.addToServer({
    addService: (definition: ServiceDefinition<ReflectionImplementation>, implementation) => {
      const { path, requestDeserialize, responseSerialize } = definition.ServerReflectionInfo;
      const handle = streams.track(atThePaceOfTheReader(implementation));
      methods.set(path, { handle, serialize: responseSerialize, deserialize: requestDeserialize });
    },
  });
  return methods;
}

type ReflectionCall = ServerDuplexStream<object, object>;

interface ReflectionImplementation extends UntypedServiceImplementation {
  ServerReflectionInfo: handleBidiStreamingCall<object, object>;
}

/** The package answers every question at once, whether or not anybody reads the answers. */
function atThePaceOfTheReader(implementation: UntypedServiceImplementation) {
  const answer = implementation.ServerReflectionInfo as (call: ReflectionCall) => void;
  return (call: ReflectionCall) => {
    answer(call);
    call.on('data', () => {
      if (call.writableNeedDrain) call.pause();
    });
    call.on('drain', () => {
      call.resume();
    });
  };
}

/** The one package that the others import from. */
const IMPORTED_PACKAGE = 'google.protobuf';

/**
 * Mends the descriptors that proto-loader gives, which clients in Go refuse: it makes one file of
 * each package and drops the imports between them (grpc/grpc-node#2595), and it leaves
 * JSON names out and names the types behind map fields in its own way.
 */
function mended(packages: PackageDefinition): PackageDefinition {
  const result: PackageDefinition = {};
  for (const [name, definition] of Object.entries(packages)) {
    result[name] = isMessageType(definition) ? withMendedFiles(definition) : definition;
  }
  return result;
}

/** The parts of protobufjs's FileDescriptorProto that are touched; its own types leave them out. */
interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType: readonly MessageDescriptor[];
  dependency: readonly string[];
}

interface MessageDescriptor {
  name: string;
  readonly field: readonly { readonly name: string; typeName: string; jsonName: string }[];
  readonly nestedType: readonly MessageDescriptor[];
  readonly options?: { readonly mapEntry?: boolean } | null;
}

function withMendedFiles<Type extends { fileDescriptorProtos: Buffer[] }>(definition: Type): Type {
  const messages = definition.fileDescriptorProtos.map((bytes) =>
    FileDescriptorProto.decode(bytes),
  );
  const files = messages as unknown as readonly FileDescriptor[];
  restoreImports(files);
  for (const message of files.flatMap(({ messageType }) => messageType)) {
    nameMapEntries(message);
    for (const field of message.field) field.jsonName = toCamelCase(field.name);
  }
  const encoded = messages.map((file) => Buffer.from(FileDescriptorProto.encode(file).finish()));
  return { ...definition, fileDescriptorProtos: encoded };
}

function restoreImports(files: readonly FileDescriptor[]): void {
  const imports = files.filter((file) => file.package === IMPORTED_PACKAGE);
  for (const file of files) {
    if (!imports.includes(file)) file.dependency = imports.map(({ name }) => name);
  }
}

/** protoc's name for the entries of `extended_metadata` is `ExtendedMetadataEntry`. */
function nameMapEntries(message: MessageDescriptor): void {
  for (const entry of message.nestedType.filter(({ options }) => options?.mapEntry === true)) {
    for (const field of message.field.filter(({ typeName }) => typeName === entry.name)) {
      entry.name = `${toPascalCase(field.name)}Entry`;
      field.typeName = entry.name;
    }
  }
}

function toPascalCase(name: string): string {
  return toCamelCase(`_${name}`);
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
