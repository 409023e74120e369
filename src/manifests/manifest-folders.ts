import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { toErrorMessage } from '../lock/error-message';
import type { Logger } from '../lock/logger';
import { parseFile } from './manifest-file';
import type { YamlDocument } from './yaml-documents';

/** A file of a resource folder, as it was found: parsed, or with what is wrong with it. */
export interface ManifestFile {
  readonly file: string;
  /** Empty where it can't be read. */
  readonly text: string;
  /** Empty where the file can't be read or parsed. */
  readonly documents: readonly YamlDocument[];
  /** Why the file can't be read or parsed. */
  readonly problem: string | undefined;
}

/**
 * The resource folders of a sidecar (dapr/dapr pkg/internal/loader/disk). They are read as often
 * as their files change; what is no YAML is named once.
 */
export class ManifestFolders {
  /** In the order in which they are read; not their subfolders. */
  readonly folders: readonly string[];
  readonly #logger: Logger;
  readonly #named = new Set<string>();

  constructor(folders: readonly string[], logger: Logger) {
    this.folders = folders;
    this.#logger = logger;
  }

  /**
   * Reads every YAML file; what is wrong with one of them does not keep the others from being read.
   *
   * @throws {Error} where a folder can't be read
   */
  async read(): Promise<readonly ManifestFile[]> {
    const files: ManifestFile[] = [];
    for (const folder of this.folders) {
      for (const file of await this.#findYamlFiles(folder))
        files.push(await readManifestFile(file));
    }
    return files;
  }

  async #findYamlFiles(folder: string): Promise<readonly string[]> {
    const names: string[] = [];
    for (const entry of await readFolder(folder)) {
      // A mounted ConfigMap keeps its files in folders whose names start with two dots.
      if (entry.isDirectory() || entry.name.startsWith('..')) continue;
      if (/\.ya?ml$/i.test(entry.name)) names.push(entry.name);
      else this.#nameOnce(entry.name);
    }
    return names.sort().map((name) => path.join(folder, name));
  }

  #nameOnce(name: string): void {
    if (this.#named.has(name)) return;
    this.#named.add(name);
    this.#logger.warn(`A non-YAML Component file ${name} was detected, it will not be loaded`);
  }
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new Error(`failed to load components: ${toErrorMessage(cause)}`, { cause });
  }
}

async function readManifestFile(file: string): Promise<ManifestFile> {
  let text = '';
  try {
    text = await readFile(file, 'utf8');
    return { file, text, documents: parseFile(file, text), problem: undefined };
  } catch (error) {
    return { file, text, documents: [], problem: toErrorMessage(error) };
  }
}
