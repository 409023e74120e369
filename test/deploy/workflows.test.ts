import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { parse } from 'yaml';

import { createFolder } from '../support/component-files';
import { testsOf } from './tool-tests';

const ROOT = path.join(__dirname, '../..');
const WORKFLOWS = path.join(ROOT, '.github/workflows');
const FILES = readdirSync(WORKFLOWS);

const { findTool } = jest.requireActual<{
  readonly findTool: (name: string, env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/ensure-deploy-tools.js');
const { findNotes, problemsOf } = jest.requireActual<{
  readonly findNotes: (changelog: string, version: string) => string | undefined;
  readonly problemsOf: (
    tag: string,
    files: {
      readonly packageVersion: string;
      readonly isPrivate?: boolean;
      readonly chart: string;
      readonly changelog: string;
    },
  ) => readonly string[];
}>('../../scripts/release-version.js');

const actionlint = findTool('actionlint', process.env);
const { held, note } = testsOf({
  path: actionlint,
  isRequired: process.env.CI !== undefined,
  missing: 'no actionlint here, `npm run test:deploy` builds it',
});

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly uses?: string;
        readonly steps?: readonly Step[];
        readonly needs?: string[];
        readonly environment?: string;
      }
    >
  >;
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const read = (file: string) => parse(readFileSync(path.join(WORKFLOWS, file), 'utf8')) as Workflow;
const lint = (...files: readonly string[]) => {
  if (actionlint === undefined) throw new Error('actionlint is missing: npm run test:deploy');
  const options = { cwd: ROOT, encoding: 'utf8' } as const;
  return spawnSync(actionlint, ['-no-color', '-oneline', ...files], options);
};

describe('the workflows of GitHub', () => {
  held(`are fine by actionlint${note}`, () => {
    expect(lint(...FILES.map((file) => path.join(WORKFLOWS, file)))).toMatchObject({
      status: 0,
      stdout: '',
    });
  });

  held(`are refused by it where they are wrong${note}`, async () => {
    const folder = path.join(await createFolder(), '.github/workflows');
    await mkdir(folder, { recursive: true });
    const text = readFileSync(path.join(WORKFLOWS, 'release.yml'), 'utf8');
    const file = path.join(folder, 'wrong.yml');
    await writeFile(file, text.replace('needs: [check, version]', 'needs: [chek, version]'));
    expect(lint(file)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('chek') as string,
    });
  });

  it.each(FILES)('%s uses actions of one commit, and may write nothing by default', (file) => {
    expect(read(file).permissions).toEqual({ contents: 'read' });
    const text = readFileSync(path.join(WORKFLOWS, file), 'utf8');
    const uses = [...text.matchAll(/^ *(?:- )?uses: (?!\.\/)(.*)$/gm)].map(([, name]) => name);
    expect(uses).not.toHaveLength(0);
    // A tag can be moved to other code. The version is for readers, and for what updates actions.
    for (const name of uses) expect(name).toMatch(/^[\w-]+\/[\w-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('use one commit for each version of an action', () => {
    const text = FILES.map((file) => readFileSync(path.join(WORKFLOWS, file), 'utf8')).join('');
    const pins = [...text.matchAll(/uses: (\S+)@(\S+) # (\S+)/g)];
    const commits = new Set(pins.map(([, name, commit]) => `${name!}@${commit!}`));
    expect(commits.size).toBe(new Set(pins.map(([, name]) => name)).size);
  });

  it('publish nothing before every check has passed', () => {
    const { jobs } = read('release.yml');
    expect(jobs.check!.uses).toBe('./.github/workflows/ci.yml');
    const isAfterCheck = (name: string): boolean =>
      (jobs[name]!.needs ?? []).some((need) => need === 'check' || isAfterCheck(need));
    const publishes = ({ run = '' }: Step) => /--push|helm push|npm publish|gh release/.test(run);
    const publishing = Object.entries(jobs).filter(([, { steps = [] }]) => steps.some(publishes));
    expect(publishing.map(([name]) => name).sort()).toEqual(['chart', 'image', 'notes', 'npm']);
    for (const [name, { environment }] of publishing) {
      expect(isAfterCheck(name)).toBe(true);
      expect(environment).toBe('release');
    }
  });

  it('publish to npm last, because that can not be taken back', () => {
    expect(read('release.yml').jobs.npm!.needs).toEqual(['image', 'chart', 'version']);
  });

  it('release commits of main only', async () => {
    const { steps = [] } = read('release.yml').jobs.version!;
    expect(steps[0]!.with).toMatchObject({ 'fetch-depth': 0 });
    const { run } = steps[1]!;
    const [origin, clone] = [await createFolder(), await createFolder()];
    const sh = (cwd: string, script: string, env = {}) =>
      spawnSync('bash', ['-e', '-c', script], { cwd, env: { ...process.env, ...env } }).status;
    const commit = 'git -c user.name=a -c user.email=a@b commit --quiet --allow-empty -m';
    expect(sh(origin, `git init --quiet -b main && ${commit} one && ${commit} two`)).toBe(0);
    expect(sh(origin, `git checkout --quiet -b side && ${commit} three`)).toBe(0);
    expect(sh(clone, `git clone --quiet "$ORIGIN" .`, { ORIGIN: origin })).toBe(0);
    const release = (commit: string) => sh(clone, `GITHUB_SHA=$(git rev-parse ${commit}); ${run!}`);
    expect(release('origin/main')).toBe(0);
    expect(release('origin/main~1')).toBe(0);
    expect(release('origin/side')).toBe(1);
  });
});

describe('a release', () => {
  const good = {
    packageVersion: '1.2.3',
    chart: "version: 1.2.3\nappVersion: '1.2.3'\n",
    changelog: '# Changelog\n\n## Unreleased\n\n- a\n\n## 1.2.3\n\n- b\n\n## 1.2.2\n\n- c\n',
  };

  it('needs one version everywhere, and its notes', () => {
    expect(problemsOf('v1.2.3', good)).toEqual([]);
    expect(problemsOf('v1.2.4', good)).toEqual([
      'package.json has 1.2.3',
      'Chart has 1.2.3',
      'appVersion has 1.2.3',
      'CHANGELOG.md has no section "## 1.2.4"',
    ]);
    expect(problemsOf('v1.2.3', { ...good, packageVersion: '1.2.30' })).toHaveLength(1);
    expect(problemsOf('v1.2.3', { ...good, isPrivate: true })).toEqual([
      'package.json is private, so npm would refuse it',
    ]);
  });

  it('has the notes of its own version only', () => {
    expect(findNotes(good.changelog, '1.2.3')).toBe('- b');
    expect(findNotes(good.changelog, '1.2')).toBeUndefined();
  });

  it('has a bake file that builds for both platforms, with attestations', () => {
    const bake = readFileSync(path.join(ROOT, 'docker-bake.hcl'), 'utf8');
    const release = /target "release" \{\n([\s\S]*?)\n\}/.exec(bake)![1]!;
    expect(release).toContain('["linux/amd64", "linux/arm64"]');
    expect(release).toContain('["type=sbom", "type=provenance,mode=max"]');
  });
});
