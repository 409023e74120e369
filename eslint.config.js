'use strict';

const js = require('@eslint/js');
const tseslint = require('typescript-eslint');

// Which packages a place may import: a library that shapes a room stays in that room, so that it can
// be replaced without touching the others. A place is a folder or a file of src/, without its ending.
// A package that is not named here may be imported nowhere.
const HOME_OF_PACKAGE = {
  redis: 'stores/redis',
  pg: 'stores/postgresql',
  // The exporter of traces takes credentials of its own grpc-js only.
  '@grpc/grpc-js': ['grpc', 'client', 'observability/otel-tracer', 'stores/etcd'],
  '@grpc/proto-loader': ['grpc', 'client', 'stores/etcd'],
  '@grpc/reflection': 'grpc',
  'grpc-health-check': 'grpc',
  protobufjs: 'grpc',
  commander: 'commands',
  'cli-progress': 'commands/waiting',
  fastify: 'http',
  preact: 'page',
  pino: 'observability',
  'prom-client': 'observability',
  '@opentelemetry/api': 'observability',
  '@opentelemetry/core': 'observability',
  '@opentelemetry/exporter-trace-otlp-grpc': 'observability',
  '@opentelemetry/exporter-trace-otlp-proto': 'observability',
  '@opentelemetry/exporter-zipkin': 'observability',
  '@opentelemetry/resources': 'observability',
  '@opentelemetry/sdk-trace-base': 'observability',
  '@bufbuild/cel': 'resiliency',
  yaml: 'manifests',
  zod: ['manifests', 'components', 'configuration', 'resiliency'],
  'fastest-levenshtein': 'base',
  // A part of Node. src/http2 does without it.
  'node:http2': ['grpc', 'runtime', 'upstream'],
};

// What a store may know of lock calls: the contract, and nothing of the service behind it.
const STORE_CONTRACT = [
  'lock/attempt',
  'lock/call-policy',
  'lock/lock-store',
  'lock/store-abilities',
  'lock/store-observer',
];

/** What a store on a server imports beside its driver's package. */
const STORE_ON_A_SERVER = [
  'base',
  'go',
  'trust',
  'components/metadata-properties',
  'stores/attempts',
  'stores/driver',
  ...STORE_CONTRACT,
];

// What the rooms of gRPC may see.
const GRPC_BASE = ['base', 'api', 'http2', 'lock', 'sidecar', 'servers', 'runtime', 'upstream'];

// Who may import whom (CONTRIBUTING.md): the places that a room may look into beside itself. The longest
// name that fits a file is its room; a file that none fits is refused. A place does not include the rooms
// inside it. `*` joins the rooms: it may import any of them, but no library of theirs.
const MAY_IMPORT = {
  'main.ts': '*',
  app: '*',
  base: [],
  runtime: [],
  go: [],
  trust: ['base'],
  http2: [],
  lock: ['base'],
  manifests: ['base', 'go'],
  servers: ['base', 'runtime'],
  sidecar: ['base'],
  upstream: ['base'],
  api: ['base', 'lock', 'sidecar'],
  client: ['base', 'lock/lease-clock'],
  commands: [
    'base',
    'go',
    'client',
    'app/own-lock-calls',
    'check/check-manifests',
    'observability/visible-text',
  ],
  check: [
    'base',
    'components',
    'configuration/configuration-schema',
    'configuration/load-configuration',
    'manifests',
    'resiliency/resiliency',
    'stores/drivers',
    'trust',
  ],
  'command-line': ['base', 'go', 'servers/listen-address', 'upstream/endpoint'],
  configuration: ['base', 'go', 'manifests', 'api/api-groups'],
  resiliency: ['base', 'go', 'manifests', 'lock'],
  components: ['base', 'go', 'manifests', 'lock', 'sidecar'],
  kubernetes: [
    'base',
    'manifests',
    'components/metadata-properties',
    'components/secrets/secret-store',
  ],
  stores: [
    'base',
    'trust',
    'components/metadata-properties',
    'stores/etcd/etcd-driver',
    'stores/redis/redis-driver',
    'stores/memory/memory-driver',
    'stores/postgresql/postgresql-driver',
    ...STORE_CONTRACT,
  ],
  'stores/attempts': ['base', ...STORE_CONTRACT],
  'stores/memory': ['base', 'stores/driver', ...STORE_CONTRACT],
  'stores/etcd': STORE_ON_A_SERVER,
  'stores/postgresql': STORE_ON_A_SERVER,
  'stores/redis': STORE_ON_A_SERVER,
  observability: ['base', 'go', 'api', 'lock', 'servers', 'trust', 'configuration/configuration'],
  grpc: [...GRPC_BASE, 'grpc/grpc-js/grpc-js-transport', 'grpc/lean/lean-transport'],
  // Neither transport knows the other. What only tames grpc-js and node:http2 is in grpc/grpc-js.
  'grpc/grpc-js': ['grpc', ...GRPC_BASE],
  'grpc/lean': ['grpc', ...GRPC_BASE],
  http: ['base', 'go', 'api', 'lock', 'sidecar', 'servers', 'upstream'],
  // It runs in browsers: of the other rooms it takes types, and one function without dependencies.
  page: ['api/overview', 'lock/native-lock-service', 'observability/visible-text'],
};

module.exports = tseslint.config(
  { ignores: ['dist', 'plain', 'coverage', 'node_modules', 'test/fixtures'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
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
  {
    files: ['src/**'],
    plugins: { rooms: require('./scripts/lint/walls') },
    rules: {
      'rooms/walls': ['error', { mayImport: MAY_IMPORT, homeOfPackage: HOME_OF_PACKAGE }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
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
        AbortController: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
