import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { isComponentDenied } from '../../src/configuration/configuration';
import { loadConfiguration } from '../../src/configuration/load-configuration';
import { type ApiObject, toDocument } from '../../src/kubernetes/api-object';
import { createFolder } from '../support/component-files';
import { RecordingLogger } from '../support/recording-logger';
import {
  componentsIn,
  DEPLOY,
  flagOf,
  holdfastOf,
  hasSchema,
  type Manifest,
  podOf,
  readManifests,
  secretsOf,
  toOptions,
  validate,
} from './kubernetes-manifest';

const FILES = readdirSync(path.join(DEPLOY, 'kubernetes'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => `kubernetes/${file}`);

const manifestsIn = (folder: string): readonly Manifest[] =>
  FILES.filter((file) => file.startsWith(`kubernetes/${folder}/`)).flatMap(readManifests);

/** Loads a configuration, which must have no warnings. */
async function expectConfiguration(text: string): Promise<void> {
  const file = path.join(await createFolder(), 'config.yaml');
  await writeFile(file, text);
  const logger = new RecordingLogger();
  await loadConfiguration({ files: [file], environment: {}, logger });
  expect(logger.lines).toEqual([]);
}

/** Components and variables that the ConfigMaps and the pod of a folder hold. */
function mountedIn(folder: string) {
  const manifests = manifestsIn(folder);
  const data = manifests.flatMap(({ data = {} }) => Object.entries(data));
  const components = data.flatMap(([name, text]) => componentsIn(name, text));
  return { holdfast: holdfastOf(podOf(manifests)), components, data };
}

describe('the Kubernetes manifests', () => {
  it.each(FILES)("%s is of Kubernetes' or of Dapr's own schema", async (file) => {
    const manifests = readManifests(file);
    expect(manifests).not.toHaveLength(0);
    for (const manifest of manifests) {
      if (hasSchema(manifest)) validate(manifest);
      else expect(manifest.apiVersion).toBe('dapr.io/v1alpha1');
      if (manifest.kind === 'Component') componentsIn(file, JSON.stringify(manifest));
      if (manifest.kind === 'Configuration') await expectConfiguration(JSON.stringify(manifest));
    }
  });

  it('are refused by the schema where they are wrong', () => {
    const deployment = manifestsIn('sidecar').find(({ kind }) => kind === 'Deployment')!;
    expect(() => {
      validate({ ...deployment, spec: { replicas: 'two' } });
    }).toThrow();
  });

  it.each(['sidecar', 'behind-the-injector', 'shared'])(
    'of %s run Holdfast without rights, and have a page',
    (folder) => {
      const pod = podOf(manifestsIn(folder));
      // Pod Security "restricted". A container without a profile has that of its pod.
      const securityContext = { ...pod.spec.securityContext, ...holdfastOf(pod).securityContext };
      expect(securityContext).toMatchObject({
        seccompProfile: { type: 'RuntimeDefault' },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      });
      const page = readFileSync(path.join(DEPLOY, 'kubernetes', folder, 'README.md'), 'utf8');
      expect(page.length).toBeGreaterThan(500);
    },
  );

  it.each(['sidecar', 'shared'])(
    'of %s give the sidecar arguments, components and secrets that it takes',
    (folder) => {
      const { holdfast, components } = mountedIn(folder);
      toOptions(holdfast.args);
      const variables = holdfast.env.map(({ name }) => name);
      const secrets = secretsOf(components);
      expect(secrets).not.toHaveLength(0);
      for (const secret of secrets) expect(variables).toContain(secret);
    },
  );

  it('of the sidecar have a configuration that it takes', async () => {
    const { data } = mountedIn('sidecar');
    await expectConfiguration(new Map(data).get('config.yaml')!);
  });

  it('of the shared service keep the keys of its apps apart', () => {
    const stores = mountedIn('shared').components.filter(({ type }) => type === 'lock.redis');
    const prefixes = stores.map(
      ({ properties }) => properties.find(({ name }) => name === 'keyPrefix')?.value,
    );
    expect(prefixes).toEqual(stores.map(({ name }) => name));
  });
});

describe('the way behind the injector', () => {
  const pod = podOf(manifestsIn('behind-the-injector'));
  const { annotations } = pod.metadata;
  const holdfast = holdfastOf(pod);
  const app = pod.spec.containers.find(({ name }) => name === 'app')!;
  const flag = (name: string) => flagOf(holdfast.args, name);

  it('gives Holdfast arguments that it takes', () => {
    expect(toOptions(holdfast.args)).toMatchObject({ mode: 'kubernetes', resourcesPaths: [] });
  });

  it('serves the lock store that daprd denies, with the same rules', async () => {
    const manifests = manifestsIn('behind-the-injector');
    const load = (configuration: string) =>
      loadConfiguration({
        files: [configuration],
        environment: {},
        logger: new RecordingLogger(),
        readNamed: (name) => {
          const found = manifests.find(
            ({ kind, metadata }) => kind === 'Configuration' && metadata.name === name,
          );
          return Promise.resolve(toDocument(found as unknown as ApiObject));
        },
      });
    const [ofDaprd, own] = [
      await load(annotations['dapr.io/config']!),
      await load(flag('config')!),
    ];
    const component = manifests.find(({ kind }) => kind === 'Component');
    const [store] = componentsIn('lockstore', JSON.stringify(component));
    expect(isComponentDenied(ofDaprd, store!)).toBe(true);
    expect(isComponentDenied(own, store!)).toBe(false);
    expect(own.api).toEqual(ofDaprd.api);
  });

  it('points it at the ports that daprd has by its annotations', () => {
    expect(flag('app-id')).toBe(annotations['dapr.io/app-id']);
    expect(flag('upstream-grpc-endpoint')).toBe(`127.0.0.1:${annotations['dapr.io/grpc-port']!}`);
    // The injector has no annotation for it.
    expect(flag('upstream-http-endpoint')).toBe('http://127.0.0.1:3500');
  });

  it('uses no port twice', () => {
    const daprd = ['3500', '3501', '50002', annotations['dapr.io/grpc-port']!];
    const ports = [
      ...[...daprd, annotations['dapr.io/metrics-port']!],
      ...['dapr-http-port', 'dapr-grpc-port', 'dapr-public-port', 'metrics-port'].map(flag),
      annotations['dapr.io/app-port'],
    ];
    expect(new Set(ports).size).toBe(ports.length);
    const names = holdfast.ports.map(({ name }) => name);
    for (const name of names) expect(name).not.toMatch(/^dapr-/);
  });

  it('tells the app the ports of Holdfast', () => {
    expect(app.env).toEqual([
      { name: 'DAPR_HTTP_PORT', value: flag('dapr-http-port') },
      { name: 'DAPR_GRPC_PORT', value: flag('dapr-grpc-port') },
    ]);
  });

  it('starts without daprd, which starts after it, and does not end with daprd', () => {
    expect(holdfast.restartPolicy).toBe('Always');
    for (const probe of [holdfast.startupProbe, holdfast.livenessProbe]) {
      expect(probe).toHaveProperty('tcpSocket');
      expect(probe).not.toHaveProperty('httpGet');
    }
  });

  it('has a role for what it reads, and for no more', () => {
    const role = readManifests('kubernetes/rbac.yaml').find(({ kind }) => kind === 'Role')!;
    const manifests = manifestsIn('behind-the-injector');
    const component = manifests.find(({ kind }) => kind === 'Component');
    const secrets = secretsOf(componentsIn('lockstore', JSON.stringify(component)));
    expect(role.rules).toEqual([
      {
        apiGroups: ['dapr.io'],
        resources: ['components', 'configurations', 'resiliencies'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: [''], resources: ['secrets'], resourceNames: secrets, verbs: ['get'] },
    ]);
  });
});
