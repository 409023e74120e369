import { API_VERSION } from './manifest-file';
import type { ManifestFile } from './manifest-folders';
import { headSchema } from './manifest-shape';
import type { YamlDocument } from './yaml-documents';

/**
 * How long a file that looks half written has to stay unchanged before it is taken for complete, in
 * milliseconds. Whoever writes a file is done by then. A sidecar must not go on for longer with what
 * its file no longer says: one that is started meanwhile reads the file as it is, with other keys.
 */
export const SETTLED_AFTER_MS = 3000;

/** What a file looked like when it was first taken for half written. */
interface Suspect {
  readonly text: string;
  readonly sinceMs: number;
  /** True where it has not changed for so long that it is taken for complete. */
  readonly isSettled: boolean;
}

/**
 * Tells files that are being written from files that have changed: editors empty a file before they
 * write it, and a copy may be read before it is complete. Such a file must not take away what is in
 * use. Its content alone does not tell: an extra `---` or a component that was commented out looks
 * the same. So the file is left alone for a while, but not for ever.
 */
export class HalfWrittenFiles {
  readonly #now: () => number;
  /** How many whole documents a file had when it was last loaded. */
  #wholes = new Map<string, number>();
  #suspects = new Map<string, Suspect>();

  /** @param now milliseconds of a clock that is never set back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Marks as broken the files that have fewer whole documents than when they were loaded, and one
   * that is cut off, until they have not changed for {@link SETTLED_AFTER_MS}. A file of documents
   * of other kinds has merely changed.
   *
   * @param isInUse true for files of which something is in use
   */
  suspect(
    files: readonly ManifestFile[],
    isInUse: (file: string) => boolean,
  ): readonly ManifestFile[] {
    const before = this.#suspects;
    this.#suspects = new Map();
    return files.map((file) => {
      const problem = isInUse(file.file) ? this.#problemOf(file) : undefined;
      if (problem === undefined) return file;
      const suspect = this.#toSuspect(file, before.get(file.file));
      this.#suspects.set(file.file, suspect);
      return suspect.isSettled ? file : { ...file, problem };
    });
  }

  /** When the next of the files last marked as broken is taken for complete; undefined where none is. */
  get settlesInMs(): number | undefined {
    const waiting = [...this.#suspects.values()].filter(({ isSettled }) => !isSettled);
    if (waiting.length === 0) return undefined;
    const firstMs = Math.min(...waiting.map(({ sinceMs }) => sinceMs));
    return Math.max(0, firstMs + SETTLED_AFTER_MS - this.#now());
  }

  /** The files that look half written and are taken for complete nonetheless. */
  get settled(): readonly string[] {
    const settled = [...this.#suspects].filter(([, { isSettled }]) => isSettled);
    return settled.map(([file]) => file);
  }

  /** Takes files as loaded; of a broken one what was loaded before still counts. */
  accept(files: readonly ManifestFile[]): void {
    this.#wholes = new Map(
      files.map((file) => [
        file.file,
        isBroken(file) ? (this.#wholes.get(file.file) ?? 0) : countWhole(file),
      ]),
    );
    for (const file of files) if (!isBroken(file)) this.#suspects.delete(file.file);
  }

  #problemOf(file: ManifestFile): string | undefined {
    const { documents } = file;
    const isShorter = countWhole(file) < (this.#wholes.get(file.file) ?? 0);
    if (isBroken(file) || !isShorter) return undefined;
    if (documents.every(isEmpty)) return `${file.file}: the file is empty`;
    if (!isCutOff(file)) return undefined;
    return `${file.file}: a document is cut off: it lacks all or part of its apiVersion, kind or spec`;
  }

  #toSuspect({ text }: ManifestFile, known: Suspect | undefined): Suspect {
    const now = this.#now();
    const sinceMs = known?.text === text ? known.sinceMs : now;
    return { text, sinceMs, isSettled: now - sinceMs >= SETTLED_AFTER_MS };
  }
}

function isBroken({ problem, documents }: ManifestFile): boolean {
  return problem !== undefined || documents.some((document) => document.problem !== undefined);
}

function countWhole({ documents }: ManifestFile): number {
  return documents.filter(isWhole).length;
}

function isEmpty({ value }: YamlDocument): boolean {
  return value === null || value === undefined;
}

/** True for a document that says all that is looked for in it before it is read in earnest. */
function isWhole({ value }: YamlDocument): boolean {
  const { apiVersion, kind, spec } = headOf(value);
  if (isAbsent(spec)) return false;
  // As for daprd a Resiliency counts whatever its API version is.
  return kind === 'Resiliency' || (kind === 'Component' && apiVersion === API_VERSION);
}

/**
 * True where the last document may go on: whoever is still writing has written the others. One of
 * another kind ends where it will, but not in the middle of a line.
 */
function isCutOff({ text, documents }: ManifestFile): boolean {
  const last = documents.at(-1);
  if (last === undefined || isWhole(last)) return false;
  const { apiVersion, kind, spec } = headOf(last.value);
  const needsSpec = kind === 'Component' || kind === 'Resiliency';
  const lacksPart = isAbsent(apiVersion) || isAbsent(kind) || (needsSpec && isAbsent(spec));
  return lacksPart || !text.endsWith('\n');
}

function headOf(value: unknown) {
  return headSchema.safeParse(value).data ?? {};
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}
