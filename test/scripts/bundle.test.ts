import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { PackageDefinition } from '@grpc/proto-loader';

import { DAPR_SERVICE, loadReflectedPackages } from '../../src/grpc/proto-files';
import { findUsesOfNodeRedis } from './uses-of-node-redis';

interface RedisClientPlugin {
  readonly CLIENT_SOURCE: string;
  readonly SENT_BY_THE_STORE: Readonly<Record<string, string>>;
  readonly SENT_BY_THE_CLIENT: Readonly<Record<string, string>>;
}
interface ProtoFilesPlugin {
  readonly toOutline: (definitions: PackageDefinition) => object;
}
interface LateDefinitions {
  readonly reviveLate: (outline: object, load: () => object) => PackageDefinition;
}
const ROOT = path.join(__dirname, '../..');
const redisClient = jest.requireActual<RedisClientPlugin>('../../scripts/bundle/redis-client.js');
const protoFiles = jest.requireActual<ProtoFilesPlugin>('../../scripts/bundle/proto-files.js');
const late = jest.requireActual<LateDefinitions>('../../scripts/bundle/late-definitions.js');

describe("the bundle's node-redis", () => {
  const { CLIENT_SOURCE, SENT_BY_THE_CLIENT, SENT_BY_THE_STORE } = redisClient;
  const uses = findUsesOfNodeRedis();
  const library = path.join(ROOT, 'node_modules/@redis/client/dist/lib');

  it('has the commands that the store sends, and no other', () => {
    expect(Object.keys(SENT_BY_THE_STORE).sort()).toEqual(uses.commands);
  });

  it('has the commands that the client itself sends', () => {
    const client = readFileSync(path.join(library, 'client/index.js'), 'utf8');
    const sent = [...client.matchAll(/commands_1\.default\.(\w+)/g)].map(([, name]) => name);
    expect([...new Set(sent)].sort()).toEqual(Object.keys(SENT_BY_THE_CLIENT).sort());
  });

  it('needs no module of node-redis beside its client', () => {
    expect(uses.ofModules).toEqual([]);
  });

  it('has what is imported from it', () => {
    const errors = Object.keys(jest.requireActual<object>(path.join(library, 'errors.js')));
    expect(CLIENT_SOURCE).toContain('exports.createClient =');
    expect([...errors, 'createClient']).toEqual(expect.arrayContaining([...uses.imports]));
    expect(uses.imports).toContain('createClient');
  });

  it.each(Object.entries({ ...SENT_BY_THE_CLIENT, ...SENT_BY_THE_STORE }))(
    'finds %s in the file %s',
    (name, file) => {
      type Commands = Readonly<Record<string, object>>;
      const all = jest.requireActual<{ default: Commands }>(path.join(library, 'commands'));
      const { default: command } = jest.requireActual<{ default: object }>(
        path.join(library, `commands/${file}.js`),
      );
      expect(command).toBe(all.default[name]);
    },
  );
});

describe("the bundle's proto files", () => {
  const whole = loadReflectedPackages();
  const outline = JSON.parse(JSON.stringify(protoFiles.toOutline(whole))) as object;

  function revive(): { revived: PackageDefinition; load: jest.Mock } {
    const load = jest.fn(() => whole);
    return { revived: late.reviveLate(outline, load), load };
  }

  it('name methods and describe their messages without protobufjs', () => {
    const { revived, load } = revive();
    const method = methodOf(revived);
    expect(method.path).toBe('/dapr.proto.runtime.v1.Dapr/TryLockAlpha1');
    expect(method.requestType.type).toEqual(methodOf(whole).requestType.type);
    expect(method.requestStream).toBe(false);
    expect(load).not.toHaveBeenCalled();
  });

  it('have the same codecs and descriptors as the whole, once they are asked for', () => {
    const { revived, load } = revive();
    const request = { storeName: 's', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };
    const bytes = methodOf(revived).requestSerialize(request);
    expect(bytes).toEqual(methodOf(whole).requestSerialize(request));
    expect(methodOf(revived).requestType.fileDescriptorProtos).toBe(
      methodOf(whole).requestType.fileDescriptorProtos,
    );
    const name = 'dapr.proto.runtime.v1.TryLockRequest';
    expect(Object.keys(revived)).toEqual(Object.keys(whole));
    expect(revived[name]).toBe(whole[name]);
    expect(load).toHaveBeenCalled();
  });
});

function methodOf(definitions: PackageDefinition) {
  const service = definitions[DAPR_SERVICE];
  if (service === undefined || 'format' in service) throw new Error('no service');
  return service.TryLockAlpha1!;
}

describe("the bundle's compiled code", () => {
  it.each(['holdfast', 'commands'])('of %s is taken by the Node that built it', (name) => {
    const script = `console.log(require('./dist/main.js').compile('${name}').script.cachedDataRejected)`;
    const options = { cwd: ROOT, encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['-e', script], options).trim()).toBe('false');
  });
});
