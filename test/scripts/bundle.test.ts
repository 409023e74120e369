import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { PackageDefinition } from '@grpc/proto-loader';

import { DAPR_SERVICE, loadDaprPackage } from '../../src/grpc/proto-files';

interface RedisClientPlugin {
  readonly CLIENT_SOURCE: string;
  readonly commandsInUse: () => readonly { readonly name: string; readonly file: string }[];
}
interface ProtoFilesPlugin {
  readonly toOutline: (definitions: PackageDefinition) => object;
}
interface LateDefinitions {
  readonly reviveLate: (outline: object, load: () => object) => PackageDefinition;
}
const redisClient = jest.requireActual<RedisClientPlugin>('../../scripts/bundle/redis-client.js');
const protoFiles = jest.requireActual<ProtoFilesPlugin>('../../scripts/bundle/proto-files.js');
const late = jest.requireActual<LateDefinitions>('../../scripts/bundle/late-definitions.js');

describe("the bundle's node-redis", () => {
  const commands = redisClient.commandsInUse();

  it('has the commands that are sent, those of rare servers too, and few others', () => {
    const names = commands.map(({ name }) => name);
    const sent = ['ping', 'role', 'info', 'time', 'set', 'eval', 'evalSha'];
    expect(names).toEqual(expect.arrayContaining(sent));
    expect(names).not.toContain('flushAll');
    expect(names.length).toBeLessThan(30);
  });

  it('has what is imported from it', () => {
    const src = path.join(__dirname, '../../src');
    const imports = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(path.join(src, name), 'utf8').matchAll(
          /import \{([^}]+)\} from '@redis\/client'/g,
        ),
      ])
      .flatMap(([, names = '']) => names.split(',').map((name) => name.trim()));
    const errors = Object.keys(
      jest.requireActual<object>('../../node_modules/@redis/client/dist/lib/errors.js'),
    );
    expect(redisClient.CLIENT_SOURCE).toContain('exports.createClient =');
    expect([...errors, 'createClient']).toEqual(expect.arrayContaining(imports));
    expect(imports).toContain('createClient');
  });

  it.each(commands)('finds %j in a file', ({ file }) => {
    const command = jest.requireActual<{ default: object }>(
      `../../node_modules/@redis/client/dist/lib/commands/${file}.js`,
    );
    expect(command.default).toHaveProperty('parseCommand');
  });
});

describe("the bundle's proto files", () => {
  const whole = loadDaprPackage();
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
  const TRY = `console.log(require('./dist/main.js').compile().cachedDataRejected)`;

  it('is taken by the Node that built it', () => {
    const options = { cwd: path.join(__dirname, '../..'), encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['-e', TRY], options).trim()).toBe('false');
  });
});
