import { eventually } from '../../support/eventually';
import { type KubeApiserver, NAMESPACE } from './kube-apiserver';

/** Dapr's kinds, and where Components keep what stands beside `spec` (dapr/dapr charts/dapr/crds). */
const KINDS = {
  components: 'Component',
  configurations: 'Configuration',
  resiliencies: 'Resiliency',
} as const;

/** The plural of a kind of Dapr. */
export type Plural = keyof typeof KINDS;

/** The path of the objects of a kind in the namespace of the tests. */
export function pathOf(plural: Plural, name = ''): string {
  const end = name === '' ? '' : `/${name}`;
  return `/apis/dapr.io/v1alpha1/namespaces/${NAMESPACE}/${plural}${end}`;
}

/** Creates or replaces an object of Dapr. */
export async function put(
  api: KubeApiserver,
  plural: Plural,
  { name, ...rest }: { readonly name: string; readonly spec: object },
): Promise<void> {
  const { status, body } = await api.send('GET', pathOf(plural, name));
  const object = { apiVersion: 'dapr.io/v1alpha1', kind: KINDS[plural], ...rest };
  if (status === 404) {
    await api.change('POST', pathOf(plural), { ...object, metadata: { name } });
    return;
  }
  const { metadata } = body as { metadata: object };
  await api.change('PUT', pathOf(plural, name), { ...object, metadata });
}

/** Installs Dapr's kinds, the namespace, and its service accounts, which a controller would create. */
export async function install(api: KubeApiserver): Promise<void> {
  const plurals = Object.keys(KINDS) as Plural[];
  for (const plural of plurals) await installKind(api, plural);
  await api.change('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  for (const name of ['default', 'powerless']) {
    const target = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
    await api.change('POST', target, { metadata: { name } });
  }
  await eventually(async () => {
    for (const plural of plurals) expect((await api.send('GET', pathOf(plural))).status).toBe(200);
  });
}

async function installKind(api: KubeApiserver, plural: Plural): Promise<void> {
  const kind = KINDS[plural];
  const group = 'dapr.io';
  await api.change('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [
        {
          ...{ name: 'v1alpha1', served: true, storage: true },
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      ],
    },
  });
}
