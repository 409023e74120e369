import { execFileSync } from 'node:child_process';
import path from 'node:path';

import {
  DEPLOY,
  type Manifest,
  type Pod,
  parseManifests,
  readManifests,
} from '../../deploy/kubernetes-manifest';
import { install } from './cluster';
import { KubeApiserver, NAMESPACE } from './kube-apiserver';

const { findTool } = jest.requireActual<{
  readonly findTool: (name: string, env: NodeJS.ProcessEnv) => string | undefined;
}>('../../../scripts/ensure-deploy-tools.js');

/** Where objects of a group are, and the group's kinds in the plural. */
const PATHS: Readonly<Record<string, string>> = {
  v1: '/api/v1',
  'apps/v1': '/apis/apps/v1',
  'dapr.io/v1alpha1': '/apis/dapr.io/v1alpha1',
  'networking.k8s.io/v1': '/apis/networking.k8s.io/v1',
  'policy/v1': '/apis/policy/v1',
  'rbac.authorization.k8s.io/v1': '/apis/rbac.authorization.k8s.io/v1',
};

const FILES = [
  'kubernetes/rbac.yaml',
  'kubernetes/redis.yaml',
  'kubernetes/sidecar/configuration.yaml',
  'kubernetes/sidecar/deployment.yaml',
  'kubernetes/behind-the-injector/deployment.yaml',
  'kubernetes/behind-the-injector/lockstore.yaml',
  'kubernetes/shared/components.yaml',
  'kubernetes/shared/deployment.yaml',
];

/** What makes a pod of a manifest. */
interface Templates {
  readonly template?: Pod;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

/** What such a namespace asks of each container. The app's own container is an example. */
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

function toPod({ metadata, spec }: Pod, more: readonly object[]): object {
  const { containers, volumes = [] } = spec as Pod['spec'] & { volumes?: readonly object[] };
  return {
    metadata: { ...metadata, name: 'a-pod' },
    spec: {
      ...spec,
      volumes: [...volumes, ...more],
      containers: containers.map((container) =>
        container.name === 'app' ? { ...container, securityContext: RESTRICTED } : container,
      ),
    },
  };
}

jest.setTimeout(180_000);

describe('a real API server, of the namespaces that are restricted most,', () => {
  let api: KubeApiserver;
  beforeAll(async () => {
    api = await KubeApiserver.start();
    await install(api);
    const target = `/api/v1/namespaces/${NAMESPACE}`;
    const namespace = (await api.change('GET', target)) as { metadata: object };
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const metadata = { ...namespace.metadata, labels };
    await api.change('PUT', target, { ...namespace, metadata });
    // The one of ci/full-values.yaml.
    const high = { metadata: { name: 'high' }, value: 1000 };
    await api.change('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', high);
  });
  afterAll(() => api.stop());

  /** Checks an object, unknown fields included, and stores nothing. */
  const check = (kind: string, apiVersion: string, object: object) => {
    const plural = kind.toLowerCase().replace(/y$/, 'ie');
    const target = `${PATHS[apiVersion]!}/namespaces/${NAMESPACE}/${plural}s`;
    return api.send('POST', `${target}?dryRun=All&fieldValidation=Strict`, object);
  };
  const accepts = async (manifest: Manifest) => {
    const { kind, apiVersion } = manifest;
    expect(await check(kind, apiVersion, manifest)).toMatchObject({ status: 201 });
    const { template, volumeClaimTemplates = [] } = (manifest.spec ?? {}) as Templates;
    if (template === undefined) return;
    const volumes = volumeClaimTemplates.map(({ metadata }) => ({ ...metadata, emptyDir: {} }));
    const { status, body } = await check('Pod', 'v1', toPod(template, volumes));
    const { message } = body as { message?: string };
    expect({ status, message }).toEqual({ status: 201 });
  };

  it.each(FILES)('accepts deploy/%s, and its pods', async (file) => {
    for (const manifest of readManifests(file)) await accepts(manifest);
  });

  it.each(['values.yaml', 'ci/full-values.yaml', 'ci/bare-values.yaml'])(
    'accepts the Helm chart with %s, and its pods',
    async (values) => {
      const args = ['template', 'my', '.', '--kube-version', '1.34.0', '-f', values];
      const cwd = path.join(DEPLOY, 'helm/holdfast');
      const text = execFileSync(findTool('helm', process.env)!, args, { cwd, encoding: 'utf8' });
      // Nobody has installed the kinds of the Prometheus operator.
      const known = parseManifests(text).filter(({ apiVersion }) => apiVersion in PATHS);
      expect(known.length).toBeGreaterThan(3);
      for (const manifest of known) await accepts(manifest);
    },
  );

  it('would refuse an unknown field, and a pod that runs as root', async () => {
    const manifest = readManifests('kubernetes/sidecar/deployment.yaml').find(
      ({ kind }) => kind === 'Deployment',
    )!;
    const wrong = { ...manifest, spec: { ...manifest.spec, replica: 1 } };
    const answer = await check('Deployment', 'apps/v1', wrong);
    expect(JSON.stringify(answer.body)).toContain('unknown field \\"spec.replica\\"');
    const spec = { containers: [{ name: 'a', image: 'a', securityContext: { runAsUser: 0 } }] };
    const refused = await check('Pod', 'v1', { metadata: { name: 'a' }, spec });
    expect(JSON.stringify(refused.body)).toContain('violates PodSecurity');
  });
});
