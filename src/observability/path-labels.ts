import type { ApiCall } from '../api/api-observer';
import type { MetricsSettings } from '../configuration/configuration';

/**
 * The `path` label of HTTP metrics, as the configuration has it: a template that matches, the path
 * of the route, or nothing. daprd's label is the path as it was called, which is the same for a
 * call to a store that there is, plainly written. What else stands in a path is any text of a
 * client's choice, and so is no label: it could make up any number of them.
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

/** `{name}` stands for one segment, `{name...}` and a slash at the end for any number of them. */
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
