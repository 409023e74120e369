import path from 'node:path';

import { Client, credentials } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { FileDescriptorProto } from 'protobufjs/ext/descriptor';

import { GrpcFixture } from './grpc-fixture';

interface ReflectionResponse {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

interface File {
  readonly name: string;
  readonly dependency: readonly string[];
  readonly messageType: readonly {
    readonly name: string;
    readonly field: readonly {
      readonly name: string;
      readonly typeName: string;
      readonly proto3Optional: boolean;
    }[];
    readonly nestedType: readonly { readonly name: string }[];
  }[];
}

describe.each(['v1', 'v1alpha'])('server reflection %s', (version) => {
  let grpc: GrpcFixture;
  let client: Client;

  beforeAll(async () => {
    grpc = await new GrpcFixture().start();
    client = new Client(`127.0.0.1:${grpc.port}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await grpc.stop();
  });

  const ask = (request: object): Promise<ReflectionResponse> => {
    const { requestSerialize, responseDeserialize, path: method } = reflectionMethod(version);
    const call = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize);
    return new Promise<ReflectionResponse>((resolve, reject) => {
      call.on('data', resolve);
      call.on('error', reject);
      call.write(request);
      call.end();
    });
  };

  const filesOf = async (symbol: string): Promise<File[]> => {
    const { fileDescriptorResponse } = await ask({ fileContainingSymbol: symbol });
    return fileDescriptorResponse!.fileDescriptorProto.map(
      (bytes) => FileDescriptorProto.decode(bytes) as unknown as File,
    );
  };

  it('survives a request that is no message of protobuf', async () => {
    const { path: method } = reflectionMethod(version);
    const keep = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(method, keep, keep);
    const failed = new Promise((resolve) => call.once('error', resolve));
    call.write(Buffer.from('ffffffffff', 'hex'));
    expect(await failed).toMatchObject({ code: 13, details: 'Error deserializing request' });
    expect(await ask({ listServices: '*' })).toHaveProperty('listServicesResponse');
  });

  it('lists the services that are served', async () => {
    const { listServicesResponse } = await ask({ listServices: '*' });
    expect(listServicesResponse?.service.map(({ name }) => name).sort()).toEqual([
      'dapr.proto.runtime.v1.Dapr',
      'grpc.health.v1.Health',
      'holdfast.v1.Locks',
    ]);
  });

  it('shows fields by the names of the proto file', async () => {
    const files = await filesOf('dapr.proto.runtime.v1.TryLockRequest');
    const message = files
      .flatMap(({ messageType }) => messageType)
      .find(({ name }) => name === 'TryLockRequest');
    expect(message?.field.map(({ name }) => name)).toEqual([
      'store_name',
      'resource_id',
      'lock_owner',
      'expiry_in_seconds',
    ]);
  });

  it('names the type behind a map as protoc does, which clients in Go insist on', async () => {
    const files = await filesOf('dapr.proto.runtime.v1.GetMetadataResponse');
    const message = files
      .flatMap(({ messageType }) => messageType)
      .find(({ name }) => name === 'GetMetadataResponse');
    expect(message?.nestedType.map(({ name }) => name)).toEqual(['ExtendedMetadataEntry']);
    expect(message?.field.map(({ typeName }) => typeName)).toContain('ExtendedMetadataEntry');
  });

  it.each([
    ['holdfast.v1.RenewRequest', ['fencing_token']],
    ['holdfast.v1.ReleaseRequest', ['fencing_token']],
    ['holdfast.v1.Lock', ['ttl_ms']],
    ['holdfast.v1.AcquireRequest', []],
    ['holdfast.v1.HoldEvent', []],
  ])('says which fields of %s are optional', async (symbol, optional) => {
    const messages = (await filesOf(symbol)).flatMap(({ messageType }) => messageType);
    const { field } = messages.find(({ name }) => symbol.endsWith(`.${name}`))!;
    expect(field.filter(({ proto3Optional }) => proto3Optional).map(({ name }) => name)).toEqual(
      optional,
    );
  });

  it.each(['ErrorInfo', 'RetryInfo'])('shows the error detail %s', async (name) => {
    const files = await filesOf(`google.rpc.${name}`);
    const messages = files.flatMap(({ messageType }) => messageType);
    expect(messages.map((message) => message.name)).toContain(name);
  });

  it('names the imported files, which clients need to resolve Empty', async () => {
    const files = await filesOf('dapr.proto.runtime.v1.Dapr');
    const names = files.map(({ name }) => name);
    const imports = files.flatMap(({ dependency }) => dependency);
    expect(imports).toHaveLength(1);
    expect(names).toEqual(expect.arrayContaining(imports));
  });
});

function reflectionMethod(version: string) {
  const root = path.dirname(require.resolve('@grpc/reflection/package.json'));
  const types = loadSync(`${root}/build/proto/grpc/reflection/${version}/reflection.proto`, {
    oneofs: true,
  });
  const service = types[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
  return service.ServerReflectionInfo!;
}
