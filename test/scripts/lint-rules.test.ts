import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { ESLint, type Linter } from 'eslint';

const ROOT = path.join(__dirname, '../..');

/** Every form in which a module can be named, by the name of the form. */
const FORMS: Readonly<Record<string, (module: string) => string>> = {
  'an import': (module) => `import { x } from '${module}';`,
  'an import of types': (module) => `import type { X } from '${module}';`,
  'an import for its effect': (module) => `import '${module}';`,
  'import = require': (module) => `import x = require('${module}');`,
  'a re-export': (module) => `export { x } from '${module}';`,
  'a re-export of all': (module) => `export * from '${module}';`,
  'a re-export of types': (module) => `export type { X } from '${module}';`,
  'import()': (module) => `export const load = () => import('${module}');`,
  'import() of a template': (module) => `export const load = () => import(\`${module}\`);`,
  'a type of import()': (module) => `export type X = import('${module}').X;`,
  'typeof import()': (module) => `export type X = typeof import('${module}');`,
  'require()': (module) => `const x = require('${module}');`,
  'module.require()': (module) => `const x = module.require('${module}');`,
  'require.resolve()': (module) => `const file = require.resolve('${module}');`,
  'createRequire()()': (module) =>
    `import { createRequire } from 'node:module';\nconst x = createRequire(__filename)('${module}');`,
  'what createRequire() made': (module) =>
    `import { createRequire } from 'node:module';\nconst load = createRequire(__filename);\nexport const f = () => load('${module}');`,
  'createRequire of a namespace': (module) =>
    `import * as node from 'node:module';\nconst load = node.createRequire(__filename);\nload('${module}');`,
  'declare module': (module) => `declare module '${module}' { interface X { y: 1 } }`,
};

/** The places that a room may import, as ESLint has them. A test of CONTRIBUTING.md compares them. */
const MAY_IMPORT = readMayImport();

function readMayImport(): Readonly<Record<string, '*' | readonly string[]>> {
  const configs = jest.requireActual<Linter.Config[]>('../../eslint.config.js');
  const rules = configs.map(({ rules }) => rules?.['rooms/walls']).find(Array.isArray);
  const [, options] = rules as [unknown, { mayImport: ReturnType<typeof readMayImport> }];
  return options.mayImport;
}

/** For every wall a file behind it, and a module that it may not name. */
const WALLS = [
  ['base imports no room', 'base/logger.ts', '../lock/lock-key'],
  ['lock sees no store', 'lock/lock-service.ts', '../stores/drivers'],
  [
    'a store sees of lock its contract only',
    'stores/redis/redis-store.ts',
    '../../lock/lock-service',
  ],
  ['so does the list of stores', 'stores/drivers.ts', '../lock/lock-service'],
  ['no store sees another', 'stores/memory/memory-store.ts', '../redis/redis-store'],
  ['etcd sees no other store', 'stores/etcd/etcd-store.ts', '../redis/side-keys'],
  ['PostgreSQL sees no other store', 'stores/postgresql/postgresql-store.ts', '../redis/ticket'],
  [
    'PostgreSQL sees of lock the contract only',
    'stores/postgresql/postgresql-queue.ts',
    '../../lock/waiting/waiting-room',
  ],
  ['pg stays in its store', 'stores/etcd/etcd-link.ts', 'pg'],
  ['the attempts see no store', 'stores/attempts/send-loop.ts', '../redis/redis-link'],
  [
    'the attempts see of lock its contract only',
    'stores/attempts/send-loop.ts',
    '../../lock/lock-key',
  ],
  ['a transport sees no store', 'grpc/grpc-server.ts', '../stores/memory/memory-store'],
  ['a transport does not see the other', 'http/http-server.ts', '../grpc/grpc-server'],
  ['grpc-js stays behind its transport', 'grpc/passed-call.ts', './grpc-js/connections'],
  [
    'our own HTTP/2 does without what tames grpc-js',
    'grpc/lean/lean-call.ts',
    '../grpc-js/stream-table',
  ],
  ['grpc-js does without our own HTTP/2', 'grpc/grpc-js/connections.ts', '../lean/lean-call'],
  ['a wall holds against .js', 'http/http-server.ts', '../grpc/grpc-server.js'],
  ['a wall holds against a way round', 'http/http-server.ts', './../http/../grpc/grpc-server'],
  ['a room sees one file of another', 'configuration/configuration.ts', '../api/sidecar'],
  ['a room has no door by its folder', 'stores/drivers.ts', './redis'],
  ['nothing sees app', 'sidecar/health.ts', '../app/app'],
  ['nothing sees what is outside of src', 'lock/lock-key.ts', '../../test/support/eventually'],
  ['not even app sees what is outside of src', 'app/app.ts', '../../test/support/eventually'],
  ['nothing sees an absolute path', 'lock/lock-key.ts', '/src/stores/drivers'],
  ['a library stays in its room', 'lock/lock-service.ts', '@grpc/grpc-js'],
  ['a library stays in its room with all of its files', 'http/json-reply.ts', 'protobufjs/minimal'],
  ['a library of one file stays there', 'observability/metrics.ts', '@grpc/grpc-js'],
  ['app takes no library of the rooms', 'app/app.ts', 'fastify'],
  ['node-redis stays in its store', 'stores/memory/memory-store.ts', 'redis'],
  ['HTTP/2 is our own in its room', 'http2/frame-reader.ts', 'node:http2'],
  ['HTTP/2 is our own by any name', 'http2/frame-reader.ts', 'http2'],
  ['HTTP/2 knows no gRPC', 'http2/server-stream.ts', '../grpc/grpc-status'],
  ['HTTP/2 does without base', 'http2/server-stream.ts', '../base/clock'],
  ['the way to the sidecar behind sees no transport', 'upstream/call-once.ts', '../grpc/passing'],
  ['the client sees no lock service', 'client/locks.ts', '../lock/native-lock-service'],
  ['the client sees nothing of the commands', 'client/locks.ts', '../commands/exit-codes'],
  ['the commands see one file of app', 'commands/run/run-command.ts', '../../app/app'],
  ['the commands see no store', 'commands/open-locks.ts', '../stores/redis/redis-driver'],
  ['the flags are not the commands', 'command-line/argv.ts', '../commands/program'],
  ['the check opens no store', 'check/check-component.ts', '../stores/redis/redis-store'],
  ['Kubernetes sees no component', 'kubernetes/cluster.ts', '../components/component-manager'],
  ['the page sees nothing that serves it', 'page/main.tsx', '../http/page-routes'],
  ['the page does without base', 'page/monitor.ts', '../base/clock'],
  ['a package needs a home', 'base/logger.ts', 'left-pad'],
  ['a package is not taken for an object of the language', 'base/logger.ts', 'constructor'],
] as const;

/** Files in no room. */
const LOOSE = ['helpers.ts', 'base.ts', 'app.ts', 'kitchen/sink.ts', 'main/other.ts', 'main.d.ts'];

/** Modules that nobody can tell before they are loaded. */
const COMPUTED = [
  'export const load = (name: string) => import(name);',
  'export const load = (name: string) => import(`../${name}`);',
  "export const load = (name: string) => require('../' + name);",
  'const x = require();',
  "const load = require;\nload('../http/http-server');",
  "require.call(undefined, '../http/http-server');",
  "const { require: load } = module;\nload('../http/http-server');",
  "import { createRequire as make } from 'node:module';\nmake(__filename)('../http/http-server');",
  "import * as node from 'node:module';\nconst make = node.createRequire;\nmake(__filename)('./x');",
] as const;

/** Modules that may be named, by the file that names them. */
const ALLOWED = [
  ['base/logger.ts', './error-message'],
  ['base/logger.ts', 'node:fs'],
  ['base/logger.ts', 'fs'],
  ['lock/lock-service.ts', '../base/error-message'],
  ['stores/redis/redis-store.ts', '../../lock/lock-store'],
  ['stores/redis/redis-store.ts', './redis-link'],
  ['stores/redis/redis-store.ts', '../attempts/send-loop'],
  ['stores/redis/redis-store.ts', '../driver'],
  ['stores/redis/redis-store.ts', 'redis'],
  ['stores/attempts/send-loop.ts', '../../lock/lock-store'],
  ['stores/attempts/send-loop.ts', '../../base/race'],
  ['stores/drivers.ts', './redis/redis-driver'],
  ['components/secrets/file-secrets.ts', '../manifest'],
  ['configuration/configuration.ts', '../api/api-groups'],
  ['observability/otel-tracer.ts', '@grpc/grpc-js'],
  ['grpc/status-details.ts', 'protobufjs/minimal'],
  ['grpc/grpc-server.ts', './lean/lean-transport'],
  ['grpc/lean/lean-call.ts', '../call-gate'],
  ['grpc/connection.ts', 'node:http2'],
  ['app/app.ts', '../observability/otel-tracer.js'],
  ['main.ts', './app/app'],
] as const;

describe('the walls between the rooms', () => {
  const eslint = new ESLint({
    cwd: ROOT,
    // Given, not found: ESLint would load the file by import(), which jest has none of.
    overrideConfigFile: true,
    baseConfig: jest.requireActual<Linter.Config[]>('../../eslint.config.js'),
    ruleFilter: ({ ruleId }) => ruleId === 'rooms/walls',
    // The rule needs no types, and a file that is only pretended has none.
    overrideConfig: {
      languageOptions: { parserOptions: { projectService: false, project: null } },
    },
  });
  const problemsOf = async (file: string, text: string) => {
    const [result] = await eslint.lintText(text, { filePath: path.join(ROOT, 'src', file) });
    const broken = result!.messages.filter(({ fatal }) => fatal === true);
    expect(broken).toEqual([]);
    return result!.messages.filter(({ ruleId }) => ruleId === 'rooms/walls');
  };

  it.each(WALLS)('hold whatever the form is: %s', async (_wall, file, module) => {
    for (const [form, write] of Object.entries(FORMS)) {
      const problems = await problemsOf(file, write(module));
      expect({ form, problems: problems.length }).toEqual({ form, problems: 1 });
    }
  });

  it.each(Object.keys(MAY_IMPORT))('let src/%s see the rooms of its row only', async (room) => {
    const allowed = MAY_IMPORT[room]!;
    const others = Object.keys(MAY_IMPORT).filter((other) => other !== room && other !== 'main.ts');
    const file = room === 'main.ts' ? room : `${room}/x.ts`;
    const up = '../'.repeat(file.split('/').length - 1) || './';
    const refused: string[] = [];
    for (const other of others) {
      const problems = await problemsOf(file, `import { x } from '${up}${other}/y';`);
      if (problems.length > 0) refused.push(other);
    }
    const isAllowed = (other: string) => allowed === '*' || allowed.includes(other);
    expect(refused).toEqual(others.filter((other) => !isAllowed(other)));
  });

  it.each(LOOSE)('leave no place for src/%s', async (file) => {
    const problems = await problemsOf(file, 'export const x = 1;');
    expect(problems.map(({ messageId }) => messageId)).toEqual(['loose']);
  });

  it.each(COMPUTED)('refuse a module that is computed: %s', async (text) => {
    const problems = await problemsOf('app/app.ts', text);
    expect(problems.map(({ messageId }) => messageId)).toEqual(['computed']);
  });

  it.each(ALLOWED)('let src/%s name %s, in every form', async (file, module) => {
    for (const [form, write] of Object.entries(FORMS)) {
      expect({ form, problems: await problemsOf(file, write(module)) }).toEqual({
        form,
        problems: [],
      });
    }
  });

  it.each([
    "const text = format('@grpc/grpc-js');",
    "const file = path.resolve('../lock');",
    "const load = (name: string) => name;\nload('@grpc/grpc-js');",
    'namespace Inner { export const x = 1; }',
    'export const x = 1;\nexport { x as y };',
  ])('take nothing else for an import: %s', async (text) => {
    await expect(problemsOf('base/logger.ts', text)).resolves.toEqual([]);
  });

  it('say what is allowed', async () => {
    const [problem] = await problemsOf(
      'manifests/yaml-value.ts',
      "import { x } from '../lock/lock-key';",
    );
    expect(problem?.message).toBe(
      'src/manifests/yaml-value may not import src/lock/lock-key: manifests may import base, go',
    );
  });

  it('are switched off nowhere', () => {
    const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const switchedOff = files
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => {
        const text = readFileSync(path.join(ROOT, 'src', file), 'utf8');
        const directives = text.match(/eslint-disable(?:-(?:next-)?line)?\b[^\n*]*/g) ?? [];
        return directives.some((each) =>
          /rooms\/|disable(?:-(?:next-)?line)?\s*(?:--|$)/.test(each.trim()),
        );
      });
    expect(switchedOff).toEqual([]);
  });
});
