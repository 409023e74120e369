import type { YamlDocument } from './yaml-documents';

/**
 * A unit of manifests that is changed at once: a file of a resource folder, or an object of the
 * Kubernetes API.
 */
export interface ManifestFile {
  /** Its name for messages, unique within its source. */
  readonly file: string;
  /** Empty if it can't be read, and for what is no file. */
  readonly text: string;
  /** Empty if it can't be read. A document that can't be parsed has a problem of its own. */
  readonly documents: readonly YamlDocument[];
  /** Why it can't be read, or must not be used now. */
  readonly problem: string | undefined;
}

/** Where the manifests of a sidecar come from: folders, or the Kubernetes API. */
export interface ManifestSource {
  /** The name of the places in messages, such as `directories`. */
  readonly kind: string;
  /** The places that are read, in this order. Empty if none is given. */
  readonly places: readonly string[];
  /** Entries that the last reading found in the places and ignored, such as subfolders. */
  readonly unread: readonly string[];
  /** True if a reading may meet a file that somebody is writing. */
  readonly mayBeHalfWritten: boolean;
  /**
   * Reads all manifests. One that is broken does not affect the others.
   *
   * @throws {Error} if a place can't be read
   */
  read(): Promise<readonly ManifestFile[]>;
  /**
   * Starts to watch the places.
   *
   * @param onChange called for every change; several calls may belong to one change
   * @returns a function that stops it
   */
  watch(onChange: () => void): () => void;
}
