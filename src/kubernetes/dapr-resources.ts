/** The path of a collection of Dapr's resources (dapr/dapr charts/dapr/crds). */
export function toCollectionPath(namespace: string, plural: string): string {
  return `/apis/dapr.io/v1alpha1/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}
