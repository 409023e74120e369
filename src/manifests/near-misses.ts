import { findNearest } from '../base/nearest-name';
import { API_VERSION, type PlacedDocument, positionIn } from './manifest-file';
import { headSchema } from './manifest-shape';

/** The kinds of Dapr's manifests (dapr/dapr charts/dapr/crds). */
const KINDS: readonly string[] = [
  'Component',
  'Configuration',
  'HTTPEndpoint',
  'MCPServer',
  'Resiliency',
  'Subscription',
  'WorkflowAccessPolicy',
];

/**
 * Says why a document is ignored that was probably meant to be a component or a policy: its kind or
 * API version is nearly right. Undefined for all others.
 */
export function describeNearMiss(placed: PlacedDocument): string | undefined {
  const { data } = headSchema.safeParse(placed.document.value);
  if (data === undefined) return undefined;
  const { kind, apiVersion } = data;
  const isPassedOver = 'so the document is ignored';
  if (kind === 'Component' && apiVersion !== API_VERSION) {
    return `${positionIn(placed, ['apiVersion'])} apiVersion: ${quote(apiVersion)} is not ${API_VERSION}, ${isPassedOver}`;
  }
  if (typeof kind === 'string' && !KINDS.includes(kind)) {
    const nearest = findNearest(kind, KINDS);
    if (nearest === undefined) return undefined;
    return `${positionIn(placed, ['kind'])} kind: ${quote(kind)} is unknown, ${isPassedOver}; did you mean ${nearest}?`;
  }
  if (isNothing(kind) && typeof apiVersion === 'string' && apiVersion.startsWith('dapr.io/')) {
    return `${positionIn(placed, [])} kind: is missing, ${isPassedOver} (allowed: ${KINDS.join(', ')})`;
  }
  return undefined;
}

function quote(value: unknown): string {
  return isNothing(value) ? 'nothing' : JSON.stringify(value);
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
