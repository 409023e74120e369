import type { Logger } from '../base/logger';
import { ReportedProblems } from '../manifests/reported-problems';
import { toComponentKind } from './component-kinds';
import { type ComponentManifest, toLogName } from './manifest';
import type { ComponentSelection } from './select-components';

/** The dependencies of {@link ServedComponents}. */
interface ServedComponentsOptions {
  /** True if the configuration denies a component (`components.deny`). */
  readonly isDenied: (component: ComponentManifest) => boolean;
  readonly logger: Logger;
}

/** Removes the components that this sidecar does not serve, and logs each once. */
export class ServedComponents {
  readonly #options: ServedComponentsOptions;
  readonly #notServed = new ReportedProblems();

  constructor(options: ServedComponentsOptions) {
    this.#options = options;
  }

  /** The selection without these components. */
  of(selection: ComponentSelection): ComponentSelection {
    const [manifests, sentences]: [ComponentManifest[], string[]] = [[], []];
    for (const manifest of selection.manifests) {
      const reason = this.#reasonAgainst(manifest);
      if (reason === undefined) manifests.push(manifest);
      else sentences.push(`Component ${toLogName(manifest)} ${reason}; ignored`);
    }
    this.#notServed.report(sentences, (sentence) => {
      this.#options.logger.warn(sentence);
    });
    return { ...selection, manifests };
  }

  #reasonAgainst(manifest: ComponentManifest): string | undefined {
    if (this.#options.isDenied(manifest)) return 'is denied by the configuration (components.deny)';
    return toComponentKind(manifest.type) === 'other-building-block'
      ? 'belongs to a building block that is not served'
      : undefined;
  }
}
