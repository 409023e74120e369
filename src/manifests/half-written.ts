import { API_VERSION } from './manifest-file';
import type { ManifestFile } from './manifest-source';
import { headSchema } from './manifest-shape';
import type { YamlDocument } from './yaml-documents';

/**
 * How long a file that looks half written must stay unchanged before it counts as complete, in
 * milliseconds. Writing a file takes less time. A longer wait would be wrong: a sidecar that starts
 * in the meantime reads the file as it is, and so may use other keys.
 */
export const SETTLED_AFTER_MS = 3000;

/** A file that looks half written, as it was when that was first noticed. */
interface Suspect {
  readonly text: string;
  readonly sinceMs: number;
  /** True if it has not changed for so long that it counts as complete. */
  readonly isSettled: boolean;
}

/**
 * Distinguishes files that are being written from files that were changed. Editors empty a file
 * before they write it, and a copy may be read before it is complete. Such a file must not remove
 * anything that is in use. The content alone does not decide: an extra `---`, or a component that
 * was commented out, looks the same. So such a file is ignored at first, but only for a limited
 * time.
 */
export class HalfWrittenFiles {
  readonly #now: () => number;
  /** The number of complete documents of each file when it was last loaded. */
  #wholes = new Map<string, number>();
  #suspects = new Map<string, Suspect>();

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Marks files as broken that have fewer complete documents than when they were loaded, or whose
   * last document is cut off. After {@link SETTLED_AFTER_MS} without a change, a file is no longer
   * marked. A file whose documents are of other kinds has simply been changed.
   *
   * @param isInUse true for files from which something is in use
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

  /**
   * The time until the first of the marked files counts as complete, in milliseconds. Undefined if
   * none is marked.
   */
  get settlesInMs(): number | undefined {
    const waiting = [...this.#suspects.values()].filter(({ isSettled }) => !isSettled);
    if (waiting.length === 0) return undefined;
    const firstMs = Math.min(...waiting.map(({ sinceMs }) => sinceMs));
    return Math.max(0, firstMs + SETTLED_AFTER_MS - this.#now());
  }

  /** The files that look half written but count as complete. */
  get settled(): readonly string[] {
    const settled = [...this.#suspects].filter(([, { isSettled }]) => isSettled);
    return settled.map(([file]) => file);
  }

  /** Records files as loaded. For a broken file, the earlier record stays. */
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

/** True for a document with all the fields that are checked before its schema is. */
function isWhole({ value }: YamlDocument): boolean {
  const { apiVersion, kind, spec } = headOf(value);
  if (isAbsent(spec)) return false;
  // As in daprd, a Resiliency counts with any API version.
  return kind === 'Resiliency' || (kind === 'Component' && apiVersion === API_VERSION);
}

/**
 * True if the last document may be unfinished. The documents before it are complete even if
 * somebody is still writing. A document of another kind may end anywhere, but not within a line.
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
