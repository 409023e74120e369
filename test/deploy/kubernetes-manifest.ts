import { readFileSync } from 'node:fs';
import path from 'node:path';

import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';

import { parseArguments } from '../../src/command-line/parse-arguments';
import type { RunOptions } from '../../src/command-line/run-options';
import { parseComponents } from '../../src/components/component-file';
import type { ComponentManifest } from '../../src/components/manifest';
import { parseFile } from '../../src/manifests/manifest-file';

export const DEPLOY = path.join(__dirname, '../../deploy');

const MODELS = {
  ConfigMap,
  Deployment,
  NetworkPolicy,
  PodDisruptionBudget,
  PrometheusRule,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceMonitor,
  StatefulSet,
};

/** A manifest as it is written. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** A container, as far as the tests look into it. */
export interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: object;
  readonly livenessProbe: object;
  readonly securityContext: object;
}

/** The pod of a deployment. */
export interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly securityContext?: object;
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
  };
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function readManifests(file: string): readonly Manifest[] {
  return parseManifests(readFileSync(path.join(DEPLOY, file), 'utf8'));
}

/** Kinds of Kubernetes and of the Prometheus operator are checked by their own schemas. Others are for the caller. */
export function hasSchema({ kind }: Manifest): boolean {
  return Object.hasOwn(MODELS, kind);
}

/** Fails if a manifest is not of the schema of its kind. */
export function validate(manifest: Manifest): void {
  const Model = MODELS[manifest.kind as keyof typeof MODELS];
  const model = new Model(manifest as never);
  expect(manifest.apiVersion).toBe(model.apiVersion);
  model.validate();
}

export function podOf(manifests: readonly Manifest[]): Pod {
  const deployment = manifests.find(({ kind }) => kind === 'Deployment');
  return (deployment!.spec as { template: Pod }).template;
}

/** The container of Holdfast in a pod. */
export function holdfastOf({ spec }: Pod): Container {
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  return all.find(({ name }) => name === 'holdfast')!;
}

/** The options of arguments that the sidecar takes without a warning. */
export function toOptions(args: readonly string[]): RunOptions {
  const invocation = parseArguments(args, {}, { daprVersion: '1', holdfastVersion: '1' });
  expect(invocation).toMatchObject({ kind: 'run', options: { warnings: [] } });
  return (invocation as { options: RunOptions }).options;
}

/** The value of a flag in arguments. */
export function flagOf(args: readonly string[], name: string): string | undefined {
  const index = args.indexOf(`--${name}`);
  return index < 0 ? undefined : args[index + 1];
}

/** The components in a text, which must have neither problems nor warnings. */
export function componentsIn(file: string, text: string): readonly ComponentManifest[] {
  const { manifests, problems } = parseComponents(file, parseFile(file, text));
  expect(problems).toEqual([]);
  expect(manifests.flatMap(({ warnings }) => warnings)).toEqual([]);
  return manifests.map(({ manifest }) => manifest);
}

/** The secrets that components refer to. */
export function secretsOf(components: readonly ComponentManifest[]): readonly string[] {
  return components.flatMap(({ properties }) =>
    properties.flatMap(({ secret }) => secret?.name ?? []),
  );
}
