import { readFileSync } from 'node:fs';
import path from 'node:path';

import { status } from '@grpc/grpc-js';

import type { ApiGroup } from '../../src/api/api-groups';
import type { MethodRow } from '../../src/api/api-method';
import { createDaprApi } from '../../src/api/dapr-api';
import { createNativeApi } from '../../src/api/native-api';
import { createPageApi } from '../../src/api/page-api';
import { TRANSPORT_METHODS } from '../../src/grpc/transport-methods';
import { createPageRoutes } from '../../src/http/page-routes';
import { SidecarView } from '../../src/observability/sidecar-view';
import { GrpcFixture } from '../grpc/grpc-fixture';
import { HttpFixture, NOT_ROUTED } from '../http/http-fixture';
import { createFakeLockService, createFakeNativeLocks } from '../support/fake-lock-service';
import { createFakeSidecar } from '../support/fake-sidecar';

/** Every group that a configuration can name. */
const GROUPS = ['lock', 'unlock', 'locks', 'metadata', 'shutdown', 'invoke'] as const;

const DAPR = '/dapr.proto.runtime.v1.Dapr';
const NATIVE = '/holdfast.v1.Locks';
const LOCKS = '/holdfast/v1/locks/{store}';

/**
 * The allowed callers of each method, as docs/configuration.md says it to users: written out here a second time, so
 * that a row that is lost, or that changes its group, is found.
 */
const OVER_GRPC = [
  { group: 'lock', path: `${DAPR}/TryLockAlpha1` },
  { group: 'unlock', path: `${DAPR}/UnlockAlpha1` },
  { group: 'metadata', path: `${DAPR}/GetMetadata` },
  { group: 'metadata', path: `${DAPR}/SetMetadata` },
  { group: 'shutdown', path: `${DAPR}/Shutdown` },
  { group: 'locks', path: `${NATIVE}/Acquire` },
  { group: 'locks', path: `${NATIVE}/Renew` },
  { group: 'locks', path: `${NATIVE}/Release` },
  { group: 'locks', path: `${NATIVE}/Hold` },
  { group: 'locks', path: `${NATIVE}/ForceRelease` },
  { group: 'locks', path: `${NATIVE}/Get` },
  { group: 'locks', path: `${NATIVE}/List` },
] as const;

const OVER_HTTP = [
  { group: 'lock', verb: 'POST', path: '/v1.0-alpha1/lock/{store}' },
  { group: 'unlock', verb: 'POST', path: '/v1.0-alpha1/unlock/{store}' },
  { group: 'metadata', verb: 'GET', path: '/v1.0/metadata' },
  { group: 'metadata', verb: 'PUT', path: '/v1.0/metadata/{key}' },
  { group: 'shutdown', verb: 'POST', path: '/v1.0/shutdown' },
  { group: 'locks', verb: 'POST', path: `${LOCKS}/acquire` },
  { group: 'locks', verb: 'POST', path: `${LOCKS}/renew` },
  { group: 'locks', verb: 'POST', path: `${LOCKS}/release` },
  { group: 'locks', verb: 'POST', path: `${LOCKS}/hold` },
  { group: 'locks', verb: 'POST', path: `${LOCKS}/force-release` },
  { group: 'locks', verb: 'GET', path: `${LOCKS}/lock` },
  { group: 'locks', verb: 'GET', path: LOCKS },
  { group: 'locks', verb: 'GET', path: '/holdfast/v1/overview' },
] as const;

/** The files of the page: for everybody, because a browser can't send a token with its request. */
const PAGE_OVER_HTTP = ['', '/page.js', '/page.css', '/icon.svg'].map((file) => `/holdfast${file}`);

const PROBES_OVER_HTTP = ['/v1.0/healthz', '/v1.0/healthz/outbound'];

const PROBES_OVER_GRPC = ['Check', 'List', 'Watch'].map((name) => `/grpc.health.v1.Health/${name}`);

const REFLECTION = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';

/** The fields that the calls of the native API need. */
const NATIVE_BODIES: Readonly<Record<string, string>> = {
  acquire: '{"resourceId":"r","ttlMs":1000}',
  hold: '{"resourceId":"r","ttlMs":1000}',
  renew: '{"resourceId":"r","lockOwner":"o","ttlMs":1000}',
  release: '{"resourceId":"r","lockOwner":"o"}',
  'force-release': '{"resourceId":"r","fencingToken":1,"reason":"test"}',
};

describe('the access group of each method', () => {
  let denied: readonly ApiGroup[];
  let asked: { readonly group: ApiGroup; readonly protocol: string }[];
  let grpc: GrpcFixture;
  let http: HttpFixture;

  beforeAll(async () => {
    const isAllowed = (group: ApiGroup, protocol: 'http' | 'grpc') => {
      asked.push({ group, protocol });
      return !denied.includes(group);
    };
    grpc = await new GrpcFixture({ isAllowed }).start();
    http = await new HttpFixture({ isAllowed, methods: createPageRoutes(createPage()) }).start();
    http.sidecar.health.markReady('runtime');
    http.sidecar.health.markOutboundReady();
  });
  afterAll(() => Promise.all([grpc.stop(), http.server.close()]));
  beforeEach(() => {
    [denied, asked] = [[], []];
  });

  const callHttp = (verb: string, template: string) => {
    const target = template.replace(/\{\w+\}/, 'x');
    const query = target.endsWith('/lock') ? '?resourceId=r' : '';
    const body = NATIVE_BODIES[target.split('/').at(-1)!] ?? BODY;
    const headers = { 'content-type': 'application/json' };
    const call = { method: verb, path: `${target}${query}`, headers };
    return http.call(verb === 'GET' ? call : { ...call, body });
  };
  const othersThan = (group: ApiGroup) => GROUPS.filter((other) => other !== group);

  describe.each(OVER_GRPC)('over gRPC, $group of $path', ({ group, path: called }) => {
    it('is served where all other groups are denied', async () => {
      denied = othersThan(group);
      await expect(grpc.callBytes(called, Buffer.alloc(0))).resolves.not.toHaveProperty('code');
      expect(asked).toEqual([{ group, protocol: 'grpc' }]);
    });

    it('is not implemented where it is denied', async () => {
      denied = [group];
      await expect(grpc.callBytes(called, Buffer.alloc(0))).resolves.toMatchObject({
        code: status.UNIMPLEMENTED,
        details: 'Not Implemented',
      });
    });
  });

  describe.each(OVER_HTTP)('over HTTP, $group of $verb $path', ({ group, verb, path: called }) => {
    it('is served where all other groups are denied', async () => {
      denied = othersThan(group);
      const answer = await callHttp(verb, called);
      expect([200, 204]).toContain(answer.status);
      expect(asked).toEqual([{ group, protocol: 'http' }]);
    });

    it('is no route where it is denied', async () => {
      denied = [group];
      await expect(callHttp(verb, called)).resolves.toMatchObject({
        status: 404,
        body: NOT_ROUTED,
      });
    });
  });

  describe('of what is always served', () => {
    beforeEach(() => {
      denied = GROUPS;
    });

    it.each(PROBES_OVER_HTTP)('lets everybody call GET %s', async (called) => {
      await expect(http.call({ method: 'GET', path: called })).resolves.toMatchObject({
        status: 204,
      });
    });

    it.each(PAGE_OVER_HTTP)('lets everybody call GET %s', async (called) => {
      const { status: answered } = await http.call({ method: 'GET', path: called });
      expect([200, 308]).toContain(answered);
    });

    it.each([...PROBES_OVER_GRPC, ...REFLECTION])('lets everybody call %s', async (called) => {
      const answer = await grpc.callBytes(called, Buffer.alloc(0), { deadline: Date.now() + 500 });
      expect(answer.code).not.toBe(status.UNIMPLEMENTED);
    });
  });
});

describe('the API token', () => {
  let grpc: GrpcFixture;
  let http: HttpFixture;
  beforeAll(async () => {
    grpc = await new GrpcFixture({ token: 'hush' }).start();
    http = await new HttpFixture({
      token: 'hush',
      methods: createPageRoutes(createPage()),
    }).start();
  });
  afterAll(() => Promise.all([grpc.stop(), http.server.close()]));

  it.each([...OVER_GRPC.map(({ path: called }) => called), ...REFLECTION])(
    'is asked for at %s',
    async (called) => {
      await expect(grpc.callBytes(called, Buffer.alloc(0))).resolves.toMatchObject({
        code: status.UNAUTHENTICATED,
      });
    },
  );

  it.each(OVER_HTTP)('is asked for at $verb $path', async ({ verb, path: called }) => {
    const call = { method: verb, path: called.replace(/\{\w+\}/, 'x') };
    await expect(http.call(call)).resolves.toMatchObject({ status: 401 });
  });

  it.each(PROBES_OVER_GRPC)('is not asked for at %s', async (called) => {
    const answer = await grpc.callBytes(called, Buffer.alloc(0), { deadline: Date.now() + 500 });
    expect(answer.code).not.toBe(status.UNAUTHENTICATED);
  });

  it.each([...PROBES_OVER_HTTP, ...PAGE_OVER_HTTP])(
    'is not asked for at GET %s',
    async (called) => {
      const answer = await http.call({ method: 'GET', path: called });
      expect(answer.status).not.toBe(401);
    },
  );
});

describe('what has no row', () => {
  it.each(['/grpc.health.v1.Health/Nope', '/grpc.reflection.v1.ServerReflection/Nope'])(
    'is not served over gRPC: %s',
    async (called) => {
      const grpc = await new GrpcFixture().start();
      await expect(grpc.callBytes(called, Buffer.alloc(0))).resolves.toMatchObject({
        code: status.UNIMPLEMENTED,
        details: `Holdfast does not serve ${called}`,
      });
      await grpc.stop();
    },
  );

  it('is not served over HTTP, though there is a route', async () => {
    const [any] = rows();
    const http = await new HttpFixture({
      methods: [
        {
          row: any!,
          addTo: (instance) => {
            instance.get('/stray', (_request, reply) => reply.send('served'));
          },
        },
      ],
    }).start();
    await expect(http.call({ method: 'GET', path: '/stray' })).resolves.toMatchObject({
      status: 404,
      body: NOT_ROUTED,
    });
    await http.server.close();
  });
});

describe('the table of methods', () => {
  it('has the methods that are tested above, and no other', () => {
    const [served, own] = [rows(), TRANSPORT_METHODS];
    expect(served.flatMap(({ grpcPath = [] }) => grpcPath).sort()).toEqual(
      OVER_GRPC.map((method) => method.path).sort(),
    );
    expect(served.flatMap(toForms).sort()).toEqual(
      [
        ...OVER_HTTP.map((method) => `${method.verb} ${method.path}`),
        ...[...PROBES_OVER_HTTP, ...PAGE_OVER_HTTP].map((path) => `GET ${path}`),
      ].sort(),
    );
    expect(own.map(({ grpcPath }) => grpcPath)).toEqual([...PROBES_OVER_GRPC, ...REFLECTION]);
  });

  it('calls each row by the name of its operation, once', () => {
    const api = apis();
    expect(Object.values<MethodRow>({ ...api }).map(({ operation }) => operation)).toEqual(
      Object.keys(api),
    );
  });

  it('is what README.md says is served', () => {
    const table = readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
    const lineOf = (transport: string) =>
      table.split('\n').find((line) => line.startsWith(`| ${transport} (port`)) ?? '';
    const [overHttp, overGrpc] = [lineOf('HTTP'), lineOf('gRPC')];
    const forms = [...overHttp.matchAll(/`([A-Z]+ [^`]+)`/g)].map(([, form]) => form);
    expect(forms.sort()).toEqual(rows().flatMap(toForms).sort());
    const methods = [...overGrpc.matchAll(/`([\w.]+)`: ([^.]+)\./g)].flatMap(([, service, names]) =>
      names!.split(', ').map((name) => `/${service!}/${name}`),
    );
    expect(methods).toEqual(rows().flatMap(({ grpcPath = [] }) => grpcPath));
  });

  it('has no group that docs/configuration.md and docs/parity.md do not name', () => {
    const groups = new Set(rows().map(({ access }) => access));
    for (const open of ['probe', 'page'] as const) groups.delete(open);
    for (const [page, sentence] of [
      ['configuration.md', /^\| `name` +\| (`lock`[^.]+)\./m],
      ['parity.md', /`api\.denied` for ([a-z, ]+)/],
    ] as const) {
      const text = readFileSync(path.join(__dirname, '../../docs', page), 'utf8');
      const [, names = ''] = sentence.exec(text) ?? [];
      const documented = names.split(',').map((name) => name.trim().replaceAll('`', ''));
      expect(documented).toEqual(expect.arrayContaining([...groups]));
    }
  });
});

function rows(): readonly MethodRow[] {
  return Object.values<MethodRow>(apis());
}

function apis() {
  const dapr = createDaprApi(createFakeLockService(), createFakeSidecar());
  return { ...dapr, ...createNativeApi(createFakeNativeLocks()), ...createPage() };
}

function createPage() {
  const file = { contentType: 'text/plain', body: Buffer.from('x'), etag: '"x"' };
  const files = { 'index.html': file, 'page.js': file, 'page.css': file, 'icon.svg': file };
  const view = new SidecarView({ appId: 'myapp', version: '1', instance: '', loaded: () => [] });
  return createPageApi(files, () => view.view());
}

function toForms({ http }: MethodRow): readonly string[] {
  return http.map(({ verb, template }) => `${verb} ${template}`);
}
