import { type FSWatcher, watch } from 'node:fs';

import type { ComponentManager } from './components/component-manager';
import { selectComponents, type SelectionOptions } from './components/select-components';
import { toErrorMessage } from './lock/error-message';
import type { Logger } from './lock/logger';
import type { ManifestFile, ManifestFolders } from './manifests/manifest-folders';
import type { Resiliency } from './resiliency/resiliency';

/** What follows the resource folders. */
export interface ResourcesOptions {
  readonly folders: ManifestFolders;
  readonly selection: SelectionOptions;
  readonly components: ComponentManager;
  readonly resiliency: Resiliency;
  readonly logger: Logger;
}

/** How long a folder has to be quiet before it is read, in milliseconds: a file is not written at once. */
const QUIET_MS = 100;

/** How long a folder that is never quiet is waited for, in milliseconds. */
const LONGEST_WAIT_MS = 1000;

/**
 * Keeps a sidecar as its resource folders say: at the start, and again whenever they change. A file
 * that can't be used, or is empty, leaves what it held before in use: it may be half written.
 */
export class Resources {
  readonly #options: ResourcesOptions;
  readonly #watchers: FSWatcher[] = [];
  #interval: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #changedAtMs: number | undefined;
  #reloading: Promise<void> | undefined;
  #isStale = false;
  #isClosed = false;

  constructor(options: ResourcesOptions) {
    this.#options = options;
  }

  /**
   * Reads the folders for the first time.
   *
   * @throws {Error} where a folder can't be read or a component fails, unless it may
   */
  async start(): Promise<void> {
    const { folders, resiliency, components, selection } = this.#options;
    const files = await folders.read();
    const selected = selectComponents(files, selection);
    resiliency.load(files);
    await components.start(selected);
  }

  /** Follows the folders from now on; with an interval as well, for what no notice comes of. */
  watch(intervalMs: number): void {
    const { folders, logger } = this.#options;
    if (folders.folders.length === 0) return;
    logger.info(`Watching directories: [${folders.folders.join(' ')}]`);
    for (const folder of folders.folders) this.#watchFolder(folder);
    this.#interval = setInterval(() => void this.reload(), intervalMs).unref();
  }

  /** Reads the folders again; resolves once all of it is done. Never rejects. */
  reload(): Promise<void> {
    this.#isStale = true;
    this.#reloading ??= this.#reloadWhileStale().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Stops following; a reload under way comes to its end first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#interval);
    clearTimeout(this.#quiet);
    for (const watcher of this.#watchers) watcher.close();
    await this.#reloading;
  }

  #watchFolder(folder: string): void {
    const { logger } = this.#options;
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#onChange();
      });
      watcher.on('error', (error) => {
        logger.warn(`Folder ${folder} can't be watched any more: ${toErrorMessage(error)}`);
      });
      this.#watchers.push(watcher);
    } catch (error) {
      logger.warn(
        `Folder ${folder} can't be watched: ${toErrorMessage(error)}; it is read at an interval`,
      );
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
        void this.reload();
      },
      Math.max(0, Math.min(QUIET_MS, leftMs)),
    );
  }

  async #reloadWhileStale(): Promise<void> {
    const { logger } = this.#options;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      try {
        await this.#reloadOnce();
      } catch (error) {
        logger.error(
          `Reload failed: ${toErrorMessage(error)}; everything stays in use as it was before`,
        );
      }
    }
  }

  async #reloadOnce(): Promise<void> {
    const { folders, resiliency, components, selection } = this.#options;
    const files = (await folders.read()).map((file) => this.#suspectEmpty(file));
    const selected = selectComponents(files, selection);
    resiliency.load(files);
    await components.reload(selected);
  }

  /** Editors empty a file before they write it. */
  #suspectEmpty(file: ManifestFile): ManifestFile {
    const { components, resiliency } = this.#options;
    const isEmpty = file.documents.every(({ value }) => value === null || value === undefined);
    const hadContent = components.isFrom(file.file) || resiliency.isFrom(file.file);
    if (file.problem !== undefined || !isEmpty || !hadContent) return file;
    return { ...file, problem: 'the file is empty' };
  }
}
