import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { toErrorMessage } from '../lock/error-message';
import type { Logger } from '../lock/logger';
import { ComponentFileError, parseComponentFile, type ScopedManifest } from './component-file';
import { type ComponentManifest, toLogName } from './manifest';

/** Which components are meant for a sidecar, and where they stand. */
export interface LoadOptions {
  /** Folders, read in this order; not their subfolders. */
  readonly resourcesPaths: readonly string[];
  readonly appId: string;
  /** Undefined or empty: manifests are not filtered by namespace. */
  readonly namespace: string | undefined;
  readonly logger: Logger;
}

/**
 * Loads the component files of the resource folders (dapr/dapr pkg/internal/loader/disk). A file
 * that can't be read or parsed is named in a warning, with every problem in it, and left out.
 *
 * @throws {Error} where a folder can't be read, or where two components have one name
 */
export async function loadManifests(options: LoadOptions): Promise<readonly ComponentManifest[]> {
  const manifests: ComponentManifest[] = [];
  for (const folder of options.resourcesPaths) {
    for (const file of await findYamlFiles(folder, options.logger)) {
      const scoped = await readManifests(file, options.logger);
      manifests.push(...scoped.filter((entry) => isMeantFor(entry, options)).map(toPlain));
    }
  }
  assertUniqueNames(manifests);
  return manifests;
}

async function findYamlFiles(folder: string, logger: Logger): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readFolder(folder)) {
    if (entry.isDirectory()) continue;
    if (/\.ya?ml$/i.test(entry.name)) names.push(entry.name);
    else {
      logger.warn(`A non-YAML Component file ${entry.name} was detected, it will not be loaded`);
    }
  }
  return names.sort().map((name) => path.join(folder, name));
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new Error(`failed to load components: ${toErrorMessage(cause)}`, { cause });
  }
}

async function readManifests(file: string, logger: Logger): Promise<readonly ScopedManifest[]> {
  const warn = (error: unknown): readonly ScopedManifest[] => {
    logger.warn(
      `daprd load Component error when parsing manifests yaml resource in ${file}: ${toErrorMessage(error)}`,
    );
    return [];
  };
  const text = await readFile(file, 'utf8').catch(warn);
  if (typeof text !== 'string') return text;
  try {
    return parseComponentFile(file, text);
  } catch (error) {
    if (error instanceof ComponentFileError) return warn(error);
    throw error;
  }
}

function isMeantFor({ namespace, scopes }: ScopedManifest, options: LoadOptions): boolean {
  const ours = options.namespace ?? '';
  if (ours !== '' && namespace !== '' && namespace !== ours) return false;
  return scopes.length === 0 || scopes.includes(options.appId);
}

function toPlain({ manifest }: ScopedManifest): ComponentManifest {
  return manifest;
}

function assertUniqueNames(manifests: readonly ComponentManifest[]): void {
  const byName = new Map<string, ComponentManifest>();
  for (const manifest of manifests) {
    const existing = byName.get(manifest.name);
    if (existing !== undefined) {
      throw new Error(
        `failed to load components: duplicate definition of Component name ${toLogName(manifest)} with existing ${toLogName(existing)} (in ${manifest.file} and ${existing.file})`,
      );
    }
    byName.set(manifest.name, manifest);
  }
}
