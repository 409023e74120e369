import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { parse as parseHcl } from '@cdktn/hcl2json';
import { parse as parseYaml } from 'yaml';

const ROOT = path.join(__dirname, '../..');

/** The attributes of a target that the file may use, of those that Bake knows (docs.docker.com/build/bake/reference). */
const ATTRIBUTES = [
  ...['args', 'attest', 'context', 'contexts', 'dockerfile', 'inherits', 'labels', 'output'],
  ...['platforms', 'tags', 'target'],
];

interface Target {
  readonly [attribute: string]: unknown;
  readonly context?: string;
  readonly inherits?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly tags?: readonly string[];
  readonly attest?: readonly string[];
}

interface Bake {
  readonly variable: Readonly<Record<string, readonly [{ readonly default: string }]>>;
  readonly group: Readonly<Record<string, readonly [{ readonly targets: readonly string[] }]>>;
  readonly target: Readonly<Record<string, readonly [Target]>>;
}

describe('docker-bake.hcl, read by the parser of HCL', () => {
  const file = path.join(ROOT, 'docker-bake.hcl');
  const text = readFileSync(file, 'utf8');
  let bake: Bake;
  beforeAll(async () => {
    bake = (await parseHcl(file, text)) as unknown as Bake;
  });

  /** A target with what it inherits, as Bake merges it. */
  const targetOf = (name: string): Target => {
    const [own] = bake.target[name]!;
    return Object.assign({}, ...(own.inherits ?? []).map(targetOf), own) as Target;
  };

  it('is refused where it is wrong', async () => {
    await expect(parseHcl(file, text.replace('["type=docker"]', '['))).rejects.toThrow(/hcl:/);
  });

  it('has blocks and attributes that Bake knows, and refers to what it declares', () => {
    expect(Object.keys(bake).sort()).toEqual(['group', 'target', 'variable']);
    for (const name of Object.keys(bake.target)) {
      const target = targetOf(name);
      for (const attribute of Object.keys(target)) expect(ATTRIBUTES).toContain(attribute);
      expect(existsSync(path.join(ROOT, target.context!, 'Dockerfile'))).toBe(true);
    }
    for (const [{ targets }] of Object.values(bake.group)) {
      for (const target of targets) expect(Object.keys(bake.target)).toContain(target);
    }
    const used = [...JSON.stringify(bake).matchAll(/\$\{(.*?)\}/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(bake.variable).sort());
  });

  it('builds a release for amd64 and arm64, with labels, bill of materials and provenance', () => {
    const release = targetOf('release');
    expect(release).toMatchObject({
      platforms: ['linux/amd64', 'linux/arm64'],
      tags: ['${IMAGE}:${VERSION}'],
      attest: ['type=sbom', 'type=provenance,mode=max'],
    });
    const labels = ['title', 'description', 'licenses', 'version', 'revision', 'created', 'source'];
    expect(Object.keys(release.labels!).sort()).toEqual(
      labels.map((name) => `org.opencontainers.image.${name}`).sort(),
    );
  });

  it('is given every variable by the release workflow', () => {
    const workflow = parseYaml(
      readFileSync(path.join(ROOT, '.github/workflows/release.yml'), 'utf8'),
    ) as { jobs: { image: { env: object; steps: { run?: string; env?: object }[] } } };
    const { env, steps } = workflow.jobs.image;
    const step = steps.find(({ run }) => run?.includes('docker buildx bake'))!;
    expect(step.run).toMatch(/bake --push .*release$/m);
    const set = [...step.run!.matchAll(/\b([A-Z]+)=/g)].map(([, name]) => name!);
    const given = [...Object.keys(env), ...Object.keys(step.env!), ...set];
    expect(given.sort()).toEqual(Object.keys(bake.variable).sort());
  });
});
