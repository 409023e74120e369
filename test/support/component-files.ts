import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A component file's content, as far as tests vary it. */
export interface ComponentFile {
  readonly name?: string;
  readonly type: string;
  readonly version?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Further lines under `spec`, indented by two spaces. */
  readonly spec?: string;
}

/** A folder of its own with one component file in it. */
export async function writeComponent(component: ComponentFile): Promise<string> {
  const folder = await createFolder();
  await writeFile(path.join(folder, 'lockstore.yaml'), toComponentYaml(component));
  return folder;
}

/** An empty folder of its own. */
export function createFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'holdfast-test-'));
}

/** The text of a component file. */
export function toComponentYaml(component: ComponentFile): string {
  const { name = 'lockstore', type, version = 'v1', metadata = {}, spec = '' } = component;
  const properties = Object.entries(metadata).map(
    ([key, value]) => `  - name: ${key}\n    value: ${JSON.stringify(value)}\n`,
  );
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: ${version}
${spec}  metadata:${properties.length === 0 ? ' []' : ''}
${properties.join('')}`;
}

/** A file with a Redis store whose host is in a secret, and the secret store that reads `secretsFile`. */
export function toSecretHostYaml(secretsFile: string): string {
  const store = toComponentYaml({
    name: 'secrets',
    type: 'secretstores.local.file',
    metadata: { secretsFile },
  });
  const component = toComponentYaml({ type: 'lock.redis' }).replace(
    'metadata: []',
    'metadata:\n  - {name: redisHost, secretKeyRef: {name: host}}\nauth: {secretStore: secrets}',
  );
  return `${store}---\n${component}`;
}
