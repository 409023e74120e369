'use strict';

const js = require('@eslint/js');
const tseslint = require('typescript-eslint');

// Which package may be imported where: a library that shapes a room stays in that room, so that
// it can be replaced without touching the others.
const HOME_OF_PACKAGE = {
  '@redis/client': 'stores/redis',
  redis: 'stores/redis',
  '@grpc/grpc-js': 'grpc',
  '@grpc/proto-loader': 'grpc',
  '@grpc/reflection': 'grpc',
  'grpc-health-check': 'grpc',
  protobufjs: 'grpc',
  fastify: 'http',
  pino: 'observability',
  'prom-client': 'observability',
  '@opentelemetry/api': 'observability',
  '@opentelemetry/core': 'observability',
  '@opentelemetry/resources': 'observability',
  '@opentelemetry/sdk-trace-base': 'observability',
  '@bufbuild/cel': 'resiliency',
  yaml: 'manifests',
  'fastest-levenshtein': 'base',
};

// Who may import whom (CONTRIBUTING.md): the rooms, or the files of them, that a room may look into. `app`
// joins the rooms: it may import any of them, but no library of theirs.
const MAY_IMPORT = {
  base: [],
  runtime: [],
  go: [],
  trust: ['base'],
  lock: ['base'],
  manifests: ['base', 'go'],
  servers: ['base'],
  sidecar: ['base'],
  api: ['base', 'lock', 'sidecar'],
  'command-line': ['base', 'go', 'servers/listen-address'],
  configuration: ['base', 'go', 'manifests', 'api/api-groups'],
  resiliency: ['base', 'go', 'manifests', 'lock'],
  components: ['base', 'go', 'manifests', 'lock', 'sidecar', 'metadata-properties'],
  stores: ['base', 'go', 'lock', 'trust', 'driver', 'components/metadata-properties'],
  observability: ['base', 'go', 'api', 'lock', 'servers', 'trust', 'configuration/configuration'],
  grpc: ['base', 'api', 'lock', 'sidecar', 'servers', 'runtime'],
  http: ['base', 'go', 'api', 'lock', 'sidecar', 'servers'],
};

function foreignPackagesOf(room) {
  return Object.entries(HOME_OF_PACKAGE)
    .filter(([, home]) => home !== room && !home.startsWith(`${room}/`))
    .map(([name, home]) => ({ name, message: `only src/${home} may import ${name}` }));
}

function roomRules(room, allowed) {
  const permitted = ['\\.\\./', ...allowed.map((place) => `${place}(?:/|$)`)].join('|');
  const pattern = {
    regex: `^(?:\\.\\./)+(?!${permitted})`,
    message: `src/${room} may import from ${allowed.join(', ') || 'no other room'}`,
  };
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { paths: foreignPackagesOf(room), patterns: [pattern] }],
    },
  };
}

module.exports = tseslint.config(
  { ignores: ['dist', 'plain', 'coverage', 'node_modules', 'test/fixtures'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An async method turns what it throws into a rejection, which the store contract asks for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      complexity: ['error', 12],
      'max-params': ['error', 3],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...Object.entries(MAY_IMPORT).map(([room, allowed]) => roomRules(room, allowed)),
  {
    files: ['src/main.ts', 'src/app/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: foreignPackagesOf('app') }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'only src/main.ts ends the process' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-params': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        process: 'readonly',
        __dirname: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
