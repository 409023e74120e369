import path from 'node:path';

import { Enum, type Field, type ReflectionObject, Root, type Service, Type } from 'protobufjs';

const OUR_PROTOS = path.join(__dirname, '../../proto');
const UPSTREAM_PROTOS = path.join(__dirname, '../../node_modules/@dapr/dapr/proto');
const PACKAGE = 'dapr.proto.runtime.v1';

const ours = load(OUR_PROTOS);
const upstream = load(UPSTREAM_PROTOS);

/** Fields of daprd 1.18 that the protos of the SDK do not have yet (dapr/dapr metadata.proto). */
const NEWER_MESSAGE = 'dapr.proto.runtime.v1.MetadataResiliency';
const NEWER_FIELD = 'resiliencies';

describe('the wire contract', () => {
  describe.each(typesOf(ours).filter((name) => name !== NEWER_MESSAGE))('message %s', (name) => {
    it('has the fields of the protos that @dapr/dapr ships: names, numbers and types', () => {
      expect(fieldsOf(ours, name)).toEqual(fieldsOf(upstream, name));
    });
  });

  describe.each(enumsOf(ours))('enum %s', (name) => {
    it('has the values of the protos that @dapr/dapr ships', () => {
      expect(ours.lookupEnum(name).values).toEqual(upstream.lookupEnum(name).values);
    });
  });

  describe.each(Object.keys(serviceOf(ours).methods))('method %s', (name) => {
    it('takes and answers what upstream does', () => {
      expect(signatureOf(ours, name)).toEqual(signatureOf(upstream, name));
    });
  });

  it('covers both lock methods', () => {
    expect(Object.keys(serviceOf(ours).methods)).toEqual(
      expect.arrayContaining(['TryLockAlpha1', 'UnlockAlpha1']),
    );
  });
});

function load(directory: string): Root {
  const root = new Root();
  root.resolvePath = (_origin, target) => path.join(directory, target);
  root.loadSync('dapr/proto/runtime/v1/dapr.proto', { keepCase: true }).resolveAll();
  return root;
}

function serviceOf(root: Root): Service {
  return root.lookupService(`${PACKAGE}.Dapr`);
}

function signatureOf(root: Root, name: string) {
  const { requestType, responseType, requestStream, responseStream } =
    serviceOf(root).methods[name]!;
  const bare = (type: string) => type.split('.').at(-1);
  return [bare(requestType), bare(responseType), requestStream, responseStream];
}

function fieldsOf(root: Root, name: string) {
  return root
    .lookupType(name)
    .fieldsArray.filter(({ name: field }) => field !== NEWER_FIELD)
    .map((field: Field) => [field.name, field.id, field.type, field.repeated, field.map])
    .sort();
}

function typesOf(root: Root): string[] {
  return descendants(root)
    .filter((item) => item instanceof Type)
    .map(fullName);
}

function enumsOf(root: Root): string[] {
  return descendants(root)
    .filter((item) => item instanceof Enum)
    .map(fullName);
}

/** Every message and enum of Dapr's package, nested ones too. */
function descendants(root: Root): ReflectionObject[] {
  const collect = (item: ReflectionObject): ReflectionObject[] => [
    item,
    ...('nestedArray' in item ? (item.nestedArray as ReflectionObject[]).flatMap(collect) : []),
  ];
  return collect(root.lookup(PACKAGE)!);
}

function fullName(item: ReflectionObject): string {
  return item.fullName.slice(1);
}
