import type {
  handleBidiStreamingCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { FileDescriptorProto } from 'protobufjs/ext/descriptor';

import type { SessionPool } from '../upstream/session-pool';
import { joinReflection, type ReflectionCall, type ReflectionMethod } from './joined-reflection';
import type { ServiceMethod, ServiceMethods } from './late-services';
import type { OpenStreams } from './open-streams';
import { isMessageType, loadReflectedPackages } from './proto-files';

/**
 * Creates server reflection v1 and v1alpha, so that tools such as grpcurl need no proto files.
 * daprd has reflection too, but its tracing breaks it by default.
 *
 * @param upstream the sidecar behind this one, whose services are shown as well
 */
export function createReflectionMethods(
  streams: OpenStreams,
  upstream: SessionPool | undefined,
): ServiceMethods {
  const packages = {
    ...loadReflectedPackages(),
    ...loadSync(healthProtoPath, { keepCase: true }),
  };
  const reflection = new ReflectionService(mended(packages));
  const methods = new Map<string, ServiceMethod>();
  reflection.addToServer({
    addService: (definition: ServiceDefinition<ReflectionImplementation>, implementation) => {
      const { ServerReflectionInfo: method } = definition;
      const { path, requestDeserialize, responseSerialize } = method;
      const ours = implementation.ServerReflectionInfo as handleBidiStreamingCall<object, object>;
      const handle = streams.track(
        upstream === undefined
          ? atThePaceOfTheReader(ours)
          : joinReflection(method as ReflectionMethod, ours, upstream),
      );
      methods.set(path, { handle, serialize: responseSerialize, deserialize: requestDeserialize });
    },
  });
  return methods;
}

interface ReflectionImplementation extends UntypedServiceImplementation {
  ServerReflectionInfo: handleBidiStreamingCall<object, object>;
}

/**
 * Delays further requests until the client has read the answers. The package answers every request
 * at once, even if the client does not read.
 */
function atThePaceOfTheReader(answer: handleBidiStreamingCall<object, object>) {
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

/** The only package that the others import. */
const IMPORTED_PACKAGE = 'google.protobuf';

/**
 * Repairs proto-loader's descriptors, which Go clients refuse. proto-loader creates one file per
 * package and drops the imports between them (grpc/grpc-node#2595). It also omits JSON names and
 * what marks a field as `optional`, and names the types of map entries differently.
 */
function mended(packages: PackageDefinition): PackageDefinition {
  const result: PackageDefinition = {};
  for (const [name, definition] of Object.entries(packages)) {
    result[name] = isMessageType(definition) ? withMendedFiles(definition) : definition;
  }
  return result;
}

/**
 * The parts of protobufjs's FileDescriptorProto that are changed here. protobufjs's own types omit
 * them.
 */
interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType: readonly MessageDescriptor[];
  dependency: readonly string[];
}

interface MessageDescriptor {
  name: string;
  readonly field: readonly FieldDescriptor[];
  readonly oneofDecl: readonly { readonly name: string }[];
  readonly nestedType: readonly MessageDescriptor[];
  readonly options?: { readonly mapEntry?: boolean } | null;
}

interface FieldDescriptor {
  readonly name: string;
  typeName: string;
  jsonName: string;
  proto3Optional: boolean;
}

function withMendedFiles<Type extends { fileDescriptorProtos: Buffer[] }>(definition: Type): Type {
  const messages = definition.fileDescriptorProtos.map((bytes) =>
    FileDescriptorProto.decode(bytes),
  );
  const files = messages as unknown as readonly FileDescriptor[];
  restoreImports(files);
  for (const message of files.flatMap(({ messageType }) => messageType)) {
    nameMapEntries(message);
    markOptionalFields(message);
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

/**
 * Gives map entry types the name that protoc uses: for `extended_metadata` it is
 * `ExtendedMetadataEntry`.
 */
function nameMapEntries(message: MessageDescriptor): void {
  for (const entry of message.nestedType.filter(({ options }) => options?.mapEntry === true)) {
    for (const field of message.field.filter(({ typeName }) => typeName === entry.name)) {
      entry.name = `${toPascalCase(field.name)}Entry`;
      field.typeName = entry.name;
    }
  }
}

/** protoc puts each `optional` field into a oneof of its own, which is named after it, and marks the field. */
function markOptionalFields({ field: fields, oneofDecl }: MessageDescriptor): void {
  const names = new Set(oneofDecl.map(({ name }) => name));
  for (const field of fields) {
    if (names.has(`_${field.name}`)) field.proto3Optional = true;
  }
}

function toPascalCase(name: string): string {
  return toCamelCase(`_${name}`);
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
