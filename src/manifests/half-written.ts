import { API_VERSION } from './manifest-file';
import type { ManifestFile } from './manifest-folders';
import { headSchema } from './manifest-shape';
import type { YamlDocument } from './yaml-documents';

/** The kinds of documents that are taken out of resource folders. */
const KINDS: readonly string[] = ['Component', 'Resiliency'];

/**
 * Tells files that are being written from those that have changed: editors empty a file before they
 * write it, and a copy may be found half done. Such a file must not take away what is in use.
 */
export class HalfWrittenFiles {
  /** How many whole documents a file had when it was last loaded. */
  #wholes = new Map<string, number>();

  /**
   * Marks as broken the files that have fewer whole documents than when they were loaded, and one
   * that is cut off. A file of documents of other kinds has merely changed.
   *
   * @param isInUse true for files of which something is in use
   */
  suspect(
    files: readonly ManifestFile[],
    isInUse: (file: string) => boolean,
  ): readonly ManifestFile[] {
    return files.map((file) => {
      const { documents } = file;
      const isShorter = countWhole(file) < (this.#wholes.get(file.file) ?? 0);
      if (file.problem !== undefined || !isShorter || !isInUse(file.file)) return file;
      if (documents.every(isEmpty)) return { ...file, problem: `${file.file}: the file is empty` };
      if (!documents.some(isCutOff)) return file;
      return {
        ...file,
        problem: `${file.file}: a document is cut off: it lacks all or part of its apiVersion, kind or spec`,
      };
    });
  }

  /** Takes files as loaded; of a broken one what was loaded before still counts. */
  accept(files: readonly ManifestFile[]): void {
    this.#wholes = new Map(
      files.map((file) => [
        file.file,
        file.problem === undefined ? countWhole(file) : (this.#wholes.get(file.file) ?? 0),
      ]),
    );
  }
}

function countWhole({ documents }: ManifestFile): number {
  return documents.filter(isWhole).length;
}

function isEmpty({ value }: YamlDocument): boolean {
  return value === null || value === undefined;
}

/** As daprd a Resiliency counts whatever its API version is. */
function isWhole({ value }: YamlDocument): boolean {
  const { data } = headSchema.safeParse(value);
  if (data === undefined || isAbsent(data.spec)) return false;
  return (
    data.kind === 'Resiliency' || (data.kind === 'Component' && data.apiversion === API_VERSION)
  );
}

function isCutOff(document: YamlDocument): boolean {
  if (isWhole(document)) return false;
  const { value } = document;
  if (typeof value !== 'object' || value === null) return true;
  const { data } = headSchema.safeParse(value);
  if (data === undefined) return false;
  const { apiversion, kind, spec } = data;
  if (KINDS.includes(String(kind)) && isAbsent(spec)) return true;
  return isBeginning(apiversion, [API_VERSION]) || isBeginning(kind, KINDS);
}

/** True for nothing, and for the first letters of a text. */
function isBeginning(value: unknown, texts: readonly string[]): boolean {
  if (isAbsent(value)) return true;
  return texts.some(
    (text) => typeof value === 'string' && value !== text && text.startsWith(value),
  );
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}
