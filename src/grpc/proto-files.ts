import path from 'node:path';

import {
  loadSync,
  type MessageTypeDefinition,
  type Options,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';

import type { MessageDescriptors } from './message-encoder';

/** The folder of the proto files. The path is valid from src and from dist. */
const PROTO_DIR = path.join(__dirname, '..', '..', 'proto');

const DAPR_FILE = 'dapr/proto/runtime/v1/dapr.proto';
const NATIVE_FILE = 'holdfast/v1/locks.proto';
const ERRORS_FILE = 'google/rpc/status.proto';

const OPTIONS: Options = { includeDirs: [PROTO_DIR], longs: Number, enums: Number, defaults: true };

/** Full name of the service that Dapr clients call. */
export const DAPR_SERVICE = 'dapr.proto.runtime.v1.Dapr';

/**
 * Loads the Dapr service with a codec for each request and response. Field names are in
 * lowerCamelCase.
 */
export function loadDaprService(): ServiceDefinition {
  const service = loadSync(DAPR_FILE, OPTIONS)[DAPR_SERVICE];
  if (service === undefined || 'format' in service) throw new Error(`no service ${DAPR_SERVICE}`);
  return service;
}

const NATIVE_PACKAGE = 'holdfast.v1.';

/** Full name of the native service. */
export const NATIVE_SERVICE = `${NATIVE_PACKAGE}Locks`;

/** Loads the native service, in the same way as {@link loadDaprService}. */
export function loadNativeService(): ServiceDefinition {
  return loadNativePackage().service;
}

/** Loads the native service and the fields of its messages. */
export function loadNativePackage(): {
  readonly service: ServiceDefinition;
  readonly messages: MessageDescriptors;
} {
  const found = loadSync(NATIVE_FILE, OPTIONS);
  const service = found[NATIVE_SERVICE];
  if (service === undefined || 'format' in service) throw new Error(`no service ${NATIVE_SERVICE}`);
  const messages = Object.entries(found).flatMap(([name, definition]): [string, object][] =>
    isMessageType(definition) ? [[name.slice(NATIVE_PACKAGE.length), definition.type]] : [],
  );
  return { service, messages: new Map(messages) };
}

/** Loads what reflection shows: all services and error details, with field names as in the proto files. */
export function loadReflectedPackages(): PackageDefinition {
  return loadSync('reflected.proto', { ...OPTIONS, keepCase: true });
}

/** Loads the two message types of error details: `google.rpc.Status` and `ErrorInfo`. */
export function loadErrorDetailTypes(): {
  readonly status: MessageTypeDefinition<object, object>;
  readonly errorInfo: MessageTypeDefinition<object, object>;
} {
  const types = loadSync(ERRORS_FILE, OPTIONS);
  const [status, errorInfo] = [types['google.rpc.Status'], types['google.rpc.ErrorInfo']];
  if (!isMessageType(status) || !isMessageType(errorInfo)) throw new Error('no google.rpc types');
  return { status, errorInfo };
}

/** True for the definition of a message, false for a service or an enum. */
export function isMessageType(
  definition: PackageDefinition[string] | undefined,
): definition is MessageTypeDefinition<object, object> {
  return definition !== undefined && 'serialize' in definition;
}
