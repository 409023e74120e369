import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parse } from 'yaml';

import { HOLDFAST_VERSION } from '../../src/base/version';
import {
  componentsIn,
  DEPLOY,
  holdfastOf,
  hasSchema,
  type Manifest,
  parseManifests,
  podOf,
  secretsOf,
  toOptions,
  validate,
} from './kubernetes-manifest';
import { testsOf } from './tool-tests';

const { findTool } = jest.requireActual<{
  readonly findTool: (name: string, env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/ensure-deploy-tools.js');

const CHART = path.join(DEPLOY, 'helm/holdfast');

const helm = findTool('helm', process.env);
const { held, note } = testsOf({
  path: helm,
  isRequired: process.env.CI !== undefined,
  missing: 'no helm here, `npm run test:deploy` builds it',
});

/** The sets of values that are rendered. */
const VALUES = ['values.yaml', 'ci/full-values.yaml', 'ci/bare-values.yaml'];

function run(...args: readonly string[]): string {
  if (helm === undefined) throw new Error('helm is missing: npm run test:deploy');
  return execFileSync(helm, args, { cwd: CHART, encoding: 'utf8', stdio: 'pipe' });
}

const TEMPLATE = ['template', 'my', '.', '--kube-version', '1.33.0'];
const render = (values: string, ...more: readonly string[]): readonly Manifest[] =>
  parseManifests(run(...TEMPLATE, '-f', values, ...more));

const kindsOf = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind).sort();

describe('the Helm chart', () => {
  it('has the version of the package', () => {
    const chart = parse(readFileSync(path.join(CHART, 'Chart.yaml'), 'utf8')) as object;
    expect(chart).toMatchObject({ version: HOLDFAST_VERSION, appVersion: HOLDFAST_VERSION });
  });

  held.each(VALUES)(`is fine by helm lint with %s${note}`, (values) => {
    expect(run('lint', '--strict', '.', '-f', values)).toContain('0 chart(s) failed');
  });

  held.each(VALUES)(
    `renders manifests of the schemas of Kubernetes and of the Prometheus operator with %s${note}`,
    (values) => {
      const manifests = render(values);
      expect(manifests.length).toBeGreaterThan(3);
      expect(manifests.every(hasSchema)).toBe(true);
      for (const manifest of manifests) validate(manifest);
    },
  );

  it.each([
    ['ServiceMonitor', { selector: {}, endpoints: [{ interval: 'often' }] }],
    ['ServiceMonitor', { endpoints: [] }],
    ['PrometheusRule', { groups: [{ name: 'g', rules: [{ alert: 'A' }] }] }],
  ])('would not pass with a wrong %s', (kind, spec) => {
    const apiVersion = 'monitoring.coreos.com/v1';
    expect(() => {
      validate({ apiVersion, kind, metadata: { name: 'x' }, spec });
    }).toThrow(/spec/);
  });

  held.each(VALUES)(`gives Holdfast what it takes with %s${note}`, (values) => {
    const manifests = render(values);
    const holdfast = holdfastOf(podOf(manifests));
    toOptions(holdfast.args);
    const map = manifests.find(({ metadata }) => metadata.name.endsWith('-components'))!;
    const components = Object.entries(map.data!).flatMap(([file, text]) =>
      componentsIn(file, text),
    );
    expect(components.map(({ type }) => type)).toContain('secretstores.local.env');
    const variables = holdfast.env.map(({ name }) => name);
    for (const secret of secretsOf(components)) expect(variables).toContain(secret);
    expect(holdfast.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  held(`renders what is enabled only${note}`, () => {
    const always = ['ConfigMap', 'ConfigMap', 'Deployment', 'Service'];
    expect(kindsOf(render('ci/bare-values.yaml'))).toEqual(always);
    expect(kindsOf(render('values.yaml'))).toEqual(
      [...always, 'NetworkPolicy', 'PodDisruptionBudget'].sort(),
    );
    expect(kindsOf(render('ci/full-values.yaml'))).toEqual(
      [
        ...always,
        'NetworkPolicy',
        'PodDisruptionBudget',
        'PrometheusRule',
        'ServiceMonitor',
      ].sort(),
    );
  });

  held(`has the alert rules of Prometheus, and scrapes the port of the metrics${note}`, () => {
    const manifests = render('ci/full-values.yaml');
    const rule = manifests.find(({ kind }) => kind === 'PrometheusRule')!;
    const alerts = readFileSync(path.join(DEPLOY, 'prometheus/alerts.yaml'), 'utf8');
    expect(rule.spec).toEqual(parse(alerts));
    const monitor = manifests.find(({ kind }) => kind === 'ServiceMonitor')!;
    const service = manifests.find(({ kind }) => kind === 'Service')!;
    const { endpoints } = monitor.spec as { endpoints: { port: string }[] };
    const { ports } = service.spec as { ports: { name: string; port: number }[] };
    expect(endpoints.map(({ port }) => ports.find(({ name }) => name === port)?.port)).toEqual([
      9090,
    ]);
  });

  held.each([
    ['replicaCount=0', /replicaCount.*minimum/],
    ['replicas=2', /additional properties 'replicas' not allowed/],
    ['components=null', /components/],
    ['components[0].name=a,components[0].type=state.redis', /does not match pattern/],
    ['appId=a.b', /appId/],
    ['serviceMonitor.interval=often', /interval/],
  ])(`refuses the values %s${note}`, (values, message) => {
    const { status, stderr } = spawnSync(helm!, [...TEMPLATE, '--set', values], {
      cwd: CHART,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
