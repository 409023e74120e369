import { readManifests } from '../../deploy/kubernetes-manifest';
import { eventually } from '../../support/eventually';
import { callHttp, postJson } from '../../support/http-call';
import { SidecarProcess } from '../../support/sidecar-process';
import { install, pathOf, put } from './cluster';
import { KubeApiserver, NAMESPACE } from './kube-apiserver';

const RBAC = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const KUBERNETES = ['--mode', 'kubernetes'];

/** What the API server takes to tell a watch of a change, on a busy machine. */
const SOON = { withinMs: 30_000 };

jest.setTimeout(180_000);

const store = (rest: object = {}, metadata: readonly object[] = []) => ({
  spec: { type: 'lock.in-memory', version: 'v1', metadata },
  ...rest,
});

describe('a sidecar in mode kubernetes, on a real API server', () => {
  let api: KubeApiserver;
  let sidecar: SidecarProcess | undefined;

  beforeAll(async () => {
    api = await KubeApiserver.start();
    await install(api);
    const [role, binding] = readManifests('kubernetes/rbac.yaml');
    await api.change('POST', `${RBAC}/roles`, role);
    await api.change('POST', `${RBAC}/rolebindings`, binding);
    const data = { password: Buffer.from('a-prefix').toString('base64') };
    for (const name of ['redis-password', 'foreign-password']) {
      await api.change('POST', SECRETS, { metadata: { name }, data });
    }
  });
  afterEach(async () => {
    await sidecar?.stop();
    sidecar = undefined;
    for (const plural of ['components', 'configurations', 'resiliencies'] as const) {
      await api.change('DELETE', pathOf(plural));
    }
  });
  afterAll(() => api.stop());

  const start = async (args: readonly string[] = KUBERNETES, account = 'default') => {
    sidecar = await SidecarProcess.start({ args, env: await api.environmentOf(account) });
    return sidecar;
  };
  const fails = async (account = 'default') => {
    sidecar = await SidecarProcess.spawn({
      args: KUBERNETES,
      env: await api.environmentOf(account),
    });
    expect(await sidecar.exited).toBe(1);
    return sidecar.stdout.replaceAll('\\"', '"');
  };
  const lock = (name: string) =>
    postJson(sidecar!.httpPort, `/v1.0-alpha1/lock/${name}`, {
      resourceId: 'r',
      lockOwner: `${Math.random()}`,
      expiryInSeconds: 1,
    });
  const componentsAre = (names: readonly string[]) =>
    eventually(async () => {
      const { body } = await callHttp(sidecar!.httpPort, { method: 'GET', path: '/v1.0/metadata' });
      const { components } = JSON.parse(body) as { components: { name: string }[] };
      expect(components.map(({ name }) => name).sort()).toEqual([...names, 'kubernetes'].sort());
    }, SOON);

  it('reads what rbac.yaml allows, and follows it', async () => {
    await put(api, 'configurations', {
      name: 'appconfig',
      spec: { components: { deny: ['lock.denied/v1'] } },
    });
    await put(api, 'components', { name: 'lockstore', ...store({ scopes: ['myapp'] }) });
    await put(api, 'components', { name: 'foreign', ...store({ scopes: ['other'] }) });
    await put(api, 'resiliencies', {
      name: 'policies',
      spec: { policies: { timeouts: { short: '5s' } } },
    });
    await start([...KUBERNETES, '--config', 'appconfig']);
    expect(sidecar!.stdout).toContain('Loading Resiliency configuration: policies');
    await componentsAre(['lockstore']);
    expect(await lock('lockstore')).toEqual({ success: true });

    await put(api, 'components', { name: 'second', ...store() });
    await componentsAre(['lockstore', 'second']);
    await api.change('DELETE', pathOf('components', 'second'));
    await put(api, 'components', { name: 'foreign', ...store({ scopes: ['myapp'] }) });
    await componentsAre(['foreign', 'lockstore']);
    const spec = { components: { deny: ['lock.in-memory'] } };
    await put(api, 'configurations', { name: 'appconfig', spec });
    await componentsAre([]);
  });

  it('reads the secret that rbac.yaml names, and no other', async () => {
    const withSecret = (name: string) =>
      store({}, [{ name: 'keyPrefix', secretKeyRef: { name, key: 'password' } }]);
    await put(api, 'components', { name: 'lockstore', ...withSecret('redis-password') });
    await start();
    expect(await lock('lockstore')).toEqual({ success: true });
    await sidecar!.stop();
    await put(api, 'components', { name: 'lockstore', ...withSecret('foreign-password') });
    expect(await fails()).toMatch(/foreign-password.*403.*must be allowed to get this secret/);
  });

  it('reads a secret for a trace header, if rbac.yaml names it', async () => {
    const configure = (name: string) => {
      const headers = [{ name: 'a', secretKeyRef: { name, key: 'password' } }];
      const otel = { endpointAddress: '127.0.0.1:1', protocol: 'grpc', isSecure: false, headers };
      return put(api, 'configurations', {
        name: 'appconfig',
        spec: { tracing: { samplingRate: '1', otel } },
      });
    };
    await configure('redis-password');
    await put(api, 'components', { name: 'lockstore', ...store() });
    await start([...KUBERNETES, '--config', 'appconfig']);
    expect(await lock('lockstore')).toEqual({ success: true });
    await configure('foreign-password');
    await sidecar!.waitForOutput("trace header a can't be read from secret foreign-password");
  });

  it('ends where its account may read nothing, and says why', async () => {
    expect(await fails('powerless')).toMatch(
      /403 (?:components|resiliencies)\.dapr\.io is forbidden: User "system:serviceaccount:prod:powerless" cannot list/,
    );
  });

  it('goes on after a crash of the API server that has lost the history of changes', async () => {
    await put(api, 'components', { name: 'lockstore', ...store() });
    await start();
    await componentsAre(['lockstore']);
    // It sees nothing of what happens now, and asks for changes after a version that is gone.
    sidecar!.child.kill('SIGSTOP');
    await api.kill();
    await api.launch();
    await put(api, 'components', { name: 'later', ...store() });
    await api.change('DELETE', pathOf('components', 'lockstore'));
    await api.kill();
    await api.launch();
    sidecar!.child.kill('SIGCONT');
    await componentsAre(['later']);
    expect(await lock('later')).toEqual({ success: true });
  });
});
