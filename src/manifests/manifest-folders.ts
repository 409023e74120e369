import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { toErrorMessage } from '../base/error-message';
import { describeFileError } from '../base/file-error';
import type { Logger } from '../base/logger';
import { FileError, readRegularFile } from '../base/regular-file';
import { parseFile } from './manifest-file';
import type { ManifestFile, ManifestSource } from './manifest-source';

/**
 * The resource folders of a sidecar (dapr/dapr pkg/internal/loader/disk). They are read at every
 * change. Files that are not YAML are logged once.
 */
export class ManifestFolders implements ManifestSource {
  readonly kind = 'directories';
  readonly mayBeHalfWritten = true;
  /** The folders in reading order, without their subfolders. */
  readonly places: readonly string[];
  readonly #logger: Logger;
  readonly #said = new Set<string>();
  #subfolders: readonly string[] = [];

  constructor(folders: readonly string[], logger: Logger) {
    this.places = folders;
    this.#logger = logger;
  }

  /** The subfolders that the last reading ignored. */
  get unread(): readonly string[] {
    return this.#subfolders;
  }

  /**
   * Reads every YAML file. A broken file does not affect the others.
   *
   * @throws {Error} if a folder can't be read
   */
  async read(): Promise<readonly ManifestFile[]> {
    const files: ManifestFile[] = [];
    this.#subfolders = [];
    for (const folder of this.places) {
      for (const file of await this.#findYamlFiles(folder))
        files.push(await readManifestFile(file));
    }
    return files;
  }

  /** Watches the folders. One that can't be watched is logged. */
  watch(onChange: () => void): () => void {
    const watchers = this.places.flatMap((folder) => this.#watchFolder(folder, onChange));
    return () => {
      for (const watcher of watchers) watcher.close();
    };
  }

  #watchFolder(folder: string, onChange: () => void): readonly FSWatcher[] {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        onChange();
      });
      watcher.on('error', (error) => {
        this.#logger.warn(`Folder ${folder} can't be watched any more: ${toErrorMessage(error)}`);
      });
      return [watcher];
    } catch (error) {
      this.#logger.warn(
        `Folder ${folder} can't be watched: ${toErrorMessage(error)}; it is read periodically`,
      );
      return [];
    }
  }

  async #findYamlFiles(folder: string): Promise<readonly string[]> {
    const names: string[] = [];
    for (const entry of await readFolder(folder)) {
      // A mounted ConfigMap keeps its files in folders whose names start with two dots.
      if (entry.name.startsWith('..')) continue;
      const { name } = entry;
      const isYaml = /\.ya?ml$/i.test(name);
      if (entry.isDirectory()) {
        const place = path.join(folder, name);
        this.#subfolders = [...this.#subfolders, name];
        if (isYaml) this.#sayOnce(`${place} is a folder: subfolders are not read`);
      } else if (isYaml) names.push(name);
      else {
        this.#sayOnce(`A non-YAML Component file ${name} was detected, it will not be loaded`);
      }
    }
    return names.sort().map((name) => path.join(folder, name));
  }

  #sayOnce(sentence: string): void {
    if (this.#said.has(sentence)) return;
    this.#said.add(sentence);
    this.#logger.warn(sentence);
  }
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const reason = `${folder}: ${describeFileError(cause)}`;
    throw new Error(`failed to load components: the folder can't be read: ${reason}`, { cause });
  }
}

async function readManifestFile(file: string): Promise<ManifestFile> {
  try {
    const text = await readRegularFile(file);
    return { file, text, documents: parseFile(file, text), problem: undefined };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { file, text: '', documents: [], problem: error.message };
  }
}
