import { type FSWatcher, watch } from 'node:fs';

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
import type { ManifestFile, ManifestFolders } from '../manifests/manifest-folders';
import { ReportedProblems } from '../manifests/reported-problems';
import type { Resiliency } from '../resiliency/resiliency';
import { describeMissingStore } from './missing-store';

/** The dependencies of {@link Resources}. */
export interface ResourcesOptions {
  readonly folders: ManifestFolders;
  readonly selection: SelectionOptions;
  readonly components: ComponentManager;
  readonly resiliency: Resiliency;
  /** The usable lock stores. */
  readonly stores: Pick<StoreCatalog, 'names'>;
  readonly logger: Logger;
}

/**
 * How long a folder must be unchanged before it is read, in milliseconds, because a file is not
 * written at once.
 */
const QUIET_MS = 100;

/** How long to wait for a folder that keeps changing, in milliseconds. */
const LONGEST_WAIT_MS = 1000;

/**
 * Makes a sidecar match its resource folders, at start and after every change. If a file can't be
 * used, its previous contents stay in use; with a file that may be half written, for a limited
 * time.
 */
export class Resources {
  readonly #options: ResourcesOptions;
  readonly #halfWritten = new HalfWrittenFiles();
  readonly #slips = new ReportedProblems();
  readonly #missingStore = new ReportedProblems();
  #watchers: readonly FSWatcher[] | undefined;
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
   * Reads the folders at start.
   *
   * @throws {Error} if a folder can't be read, or a component without ignoreErrors fails
   */
  async start(): Promise<void> {
    const { folders, resiliency, components, selection } = this.#options;
    const files = await folders.read();
    const contents = this.#select(files, selection);
    resiliency.load(files, contents.names);
    await components.start(contents);
    this.#halfWritten.accept(files);
    this.#sayMissingStore(contents);
  }

  /**
   * Starts to watch the folders. They are also read at an interval, for changes without an event.
   */
  watch(intervalMs: number): void {
    const { folders, logger } = this.#options;
    if (folders.folders.length === 0 || this.#watchers !== undefined || this.#isClosed) return;
    logger.info(`Watching directories: [${folders.folders.join(' ')}]`);
    this.#watchers = folders.folders.flatMap((folder) => this.#watchFolder(folder));
    this.#interval = setInterval(() => void this.#follow(), intervalMs).unref();
  }

  /** Stops watching. Changes that were noticed but not read yet wait for the next reading. */
  unwatch(): void {
    if (this.#watchers === undefined) return;
    this.#options.logger.info('Directories are not watched any more');
    this.#stopWatching();
  }

  /**
   * Reads the folders on request, and uses files as they are, even if they look half written.
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
    for (const watcher of this.#watchers ?? []) watcher.close();
    this.#watchers = undefined;
  }

  #watchFolder(folder: string): readonly FSWatcher[] {
    const { logger } = this.#options;
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#onChange();
      });
      watcher.on('error', (error) => {
        logger.warn(`Folder ${folder} can't be watched any more: ${toErrorMessage(error)}`);
      });
      return [watcher];
    } catch (error) {
      logger.warn(
        `Folder ${folder} can't be watched: ${toErrorMessage(error)}; it is read periodically`,
      );
      return [];
    }
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
    const { folders, stores, components } = this.#options;
    const isMissing = stores.names.length === 0 && !this.#isClosed && !components.isStopping;
    this.#warn(this.#missingStore, isMissing ? describeMissingStore(folders, contents) : []);
  }

  #warn(reported: ReportedProblems, sentences: readonly string[]): void {
    reported.report(sentences, (sentence) => {
      this.#options.logger.warn(sentence);
    });
  }

  async #read(): Promise<readonly ManifestFile[]> {
    const { folders, resiliency, components, logger } = this.#options;
    const takesHalfWritten = this.#takesHalfWritten;
    this.#takesHalfWritten = false;
    const found = await folders.read();
    if (takesHalfWritten) return found;
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
    if (settlesInMs === undefined || this.#watchers === undefined) return;
    this.#settling = setTimeout(() => void this.#follow(), Math.ceil(settlesInMs)).unref();
  }
}
