import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import type { ComponentManager } from '../components/component-manager';
import {
  type FolderContents,
  selectComponents,
  type SelectionOptions,
} from '../components/select-components';
import type { StoreCatalog } from '../lock/store-catalog';
import { HalfWrittenFiles, SETTLED_AFTER_MS } from '../manifests/half-written';
import type { ManifestFile, ManifestSource } from '../manifests/manifest-source';
import { ReportedProblems } from '../manifests/reported-problems';
import type { Resiliency } from '../resiliency/resiliency';
import { describeMissingStore } from './missing-store';

/** The dependencies of {@link Resources}. */
export interface ResourcesOptions {
  readonly source: ManifestSource;
  readonly selection: SelectionOptions;
  readonly components: ComponentManager;
  readonly resiliency: Resiliency;
  /** The usable lock stores. */
  readonly stores: Pick<StoreCatalog, 'names'>;
  readonly logger: Logger;
}

/**
 * How long nothing must change before the source is read, in milliseconds, because a file is not
 * written at once, and objects are often applied together.
 */
const QUIET_MS = 100;

/** How long to wait for a source that keeps changing, in milliseconds. */
const LONGEST_WAIT_MS = 1000;

/**
 * Makes a sidecar match its manifests, at start and after every change. If a file can't be
 * used, its previous contents stay in use; with a file that may be half written, for a limited
 * time.
 */
export class Resources {
  readonly #options: ResourcesOptions;
  readonly #halfWritten = new HalfWrittenFiles();
  readonly #slips = new ReportedProblems();
  readonly #missingStore = new ReportedProblems();
  #stopWatch: (() => void) | undefined;
  #interval: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #changedAtMs: number | undefined;
  #reloading: Promise<boolean> | undefined;
  #isStale = false;
  #takesHalfWritten = false;
  #isClosed = false;

  constructor(options: ResourcesOptions) {
    this.#options = options;
  }

  /**
   * Reads the manifests at start.
   *
   * @throws {Error} if a place can't be read, or a component without ignoreErrors fails
   */
  async start(): Promise<void> {
    const { source, resiliency, components, selection } = this.#options;
    const files = await source.read();
    const contents = this.#select(files, selection);
    resiliency.load(files, contents.names);
    await components.start(contents);
    this.#halfWritten.accept(files);
    this.#sayMissingStore(contents);
  }

  /**
   * Starts to watch the source. It is also read at an interval, for changes without an event.
   */
  watch(intervalMs: number): void {
    const { source, logger } = this.#options;
    if (source.places.length === 0 || this.#stopWatch !== undefined || this.#isClosed) return;
    logger.info(`Watching ${source.kind}: [${source.places.join(' ')}]`);
    this.#stopWatch = source.watch(() => {
      this.#onChange();
    });
    this.#interval = setInterval(() => void this.#follow(), intervalMs).unref();
  }

  /** Stops watching. Changes that were noticed but not read yet wait for the next reading. */
  unwatch(): void {
    if (this.#stopWatch === undefined) return;
    this.#options.logger.info(`No longer watching ${this.#options.source.kind}`);
    this.#stopWatching();
  }

  /**
   * Reads the source on request, and uses files as they are, even if they look half written.
   * Resolves when everything is done. Never rejects.
   *
   * @returns false if something could not be used
   */
  reload(): Promise<boolean> {
    this.#takesHalfWritten = true;
    return this.#follow();
  }

  /** Stops watching. A running reload is cut short, because calls are served until it has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWatching();
    this.#options.components.stopLoading();
    await this.#reloading;
  }

  #follow(): Promise<boolean> {
    this.#isStale = true;
    this.#reloading ??= this.#reloadWhileStale().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  #stopWatching(): void {
    clearInterval(this.#interval);
    clearTimeout(this.#quiet);
    clearTimeout(this.#settling);
    this.#changedAtMs = undefined;
    this.#stopWatch?.();
    this.#stopWatch = undefined;
  }

  #onChange(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#changedAtMs ??= now;
    const leftMs = this.#changedAtMs + LONGEST_WAIT_MS - now;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(
      () => {
        this.#changedAtMs = undefined;
        void this.#follow();
      },
      Math.max(0, Math.min(QUIET_MS, leftMs)),
    );
  }

  async #reloadWhileStale(): Promise<boolean> {
    const { logger } = this.#options;
    let isWhole = false;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      try {
        isWhole = await this.#reloadOnce();
      } catch (error) {
        isWhole = false;
        logger.error(`Reload failed: ${toErrorMessage(error)}; everything in use stays unchanged`);
      }
    }
    return isWhole;
  }

  async #reloadOnce(): Promise<boolean> {
    const { resiliency, components, selection } = this.#options;
    const files = await this.#read();
    const contents = this.#select(files, selection);
    const arePoliciesWhole = resiliency.load(files, contents.names);
    const areComponentsWhole = await components.reload(contents);
    resiliency.keepOnly(components.names);
    this.#halfWritten.accept(files);
    this.#sayMissingStore(contents);
    return arePoliciesWhole && areComponentsWhole;
  }

  #select(files: readonly ManifestFile[], selection: SelectionOptions): FolderContents {
    const contents = selectComponents(files, selection);
    this.#warn(this.#slips, contents.warnings);
    return contents;
  }

  #sayMissingStore(contents: FolderContents): void {
    const { source, stores, components } = this.#options;
    const isMissing = stores.names.length === 0 && !this.#isClosed && !components.isStopping;
    this.#warn(this.#missingStore, isMissing ? describeMissingStore(source, contents) : []);
  }

  #warn(reported: ReportedProblems, sentences: readonly string[]): void {
    reported.report(sentences, (sentence) => {
      this.#options.logger.warn(sentence);
    });
  }

  async #read(): Promise<readonly ManifestFile[]> {
    const { source, resiliency, components, logger } = this.#options;
    const takesHalfWritten = this.#takesHalfWritten;
    this.#takesHalfWritten = false;
    const found = await source.read();
    if (takesHalfWritten || !source.mayBeHalfWritten) return found;
    const isInUse = (file: string) => components.isFrom(file) || resiliency.isFrom(file);
    const files = this.#halfWritten.suspect(found, isInUse);
    for (const file of this.#halfWritten.settled) {
      logger.warn(
        `${file} has not changed for ${SETTLED_AFTER_MS / 1000} s and is now used as it is`,
      );
    }
    this.#readAgainWhenSettled();
    return files;
  }

  #readAgainWhenSettled(): void {
    clearTimeout(this.#settling);
    const { settlesInMs } = this.#halfWritten;
    if (settlesInMs === undefined || this.#stopWatch === undefined) return;
    this.#settling = setTimeout(() => void this.#follow(), Math.ceil(settlesInMs)).unref();
  }
}
