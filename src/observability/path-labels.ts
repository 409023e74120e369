import type { MetricsSettings } from '../configuration/configuration';
import type { ApiCall } from '../sidecar/api-observer';

/** How many paths of their own are labels at most: a store's name in a path is any client's text. */
const MAX_PATHS = 200;

/**
 * The `path` label of HTTP metrics, as the configuration has it: a template that matches, the path
 * as it was called, or nothing. Paths that no route serves are no labels: anybody could make up
 * any number of them.
 */
export class PathLabels {
  readonly #isRaw: boolean;
  readonly #templates: readonly { readonly text: string; readonly pattern: RegExp }[];
  readonly #seen = new Set<string>();

  constructor({ increasedCardinality, pathMatching }: MetricsSettings['http']) {
    this.#isRaw = increasedCardinality;
    this.#templates = pathMatching.map((text) => ({ text, pattern: toPattern(text) }));
  }

  /** The label of a call. */
  labelOf({ path, operation }: ApiCall): string {
    const template = this.#templates.find(({ pattern }) => pattern.test(path));
    if (template !== undefined) return template.text;
    if (!this.#isRaw || operation === undefined) return '';
    if (this.#seen.has(path)) return path;
    if (this.#seen.size >= MAX_PATHS) return '';
    this.#seen.add(path);
    return path;
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
