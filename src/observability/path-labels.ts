import type { ApiCall } from '../api/api-observer';
import type { MetricsSettings } from '../configuration/configuration';

/**
 * The `path` label of HTTP metrics: a matching template, the path of the route, or empty, depending
 * on the configuration. daprd uses the path of the call, which is the same for a call to an
 * existing store. Other parts of a path are arbitrary text of a client and never become labels: a
 * client could create any number of them.
 */
export class PathLabels {
  readonly #isRaw: boolean;
  readonly #templates: readonly { readonly text: string; readonly pattern: RegExp }[];
  readonly #isKnownStore: (name: string) => boolean;

  constructor(
    { increasedCardinality, pathMatching }: MetricsSettings['http'],
    isKnownStore: (name: string) => boolean,
  ) {
    this.#isRaw = increasedCardinality;
    this.#templates = pathMatching.map((text) => ({ text, pattern: toPattern(text) }));
    this.#isKnownStore = isKnownStore;
  }

  /** The label of a call. */
  labelOf({ path, route }: Pick<ApiCall, 'path' | 'route'>): string {
    const template = this.#templates.find(({ pattern }) => pattern.test(path));
    if (template !== undefined) return template.text;
    if (!this.#isRaw || route === undefined) return '';
    const { storeName } = route;
    if (storeName === undefined || !this.#isKnownStore(storeName)) return route.template;
    return route.template.replace('{store}', () => storeName);
  }
}

/** `{name}` matches one segment. `{name...}` and a final slash match any number of them. */
function toPattern(template: string): RegExp {
  const source = template
    .split(/(\{[^}]*\})/)
    .map((part) => {
      if (/^\{.*\.\.\.\}$/.test(part)) return '.*';
      if (/^\{.*\}$/.test(part)) return '[^/]+';
      return part.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}${template.endsWith('/') ? '.*' : ''}$`);
}
