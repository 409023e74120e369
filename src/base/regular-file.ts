import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';

import { describeFileError } from './file-error';

/** A file can't be read. The message names the file and the reason. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** Maximum size of a file in bytes. Kubernetes stores no file of more than 1 MiB. */
export const LONGEST_FILE = 16 * 2 ** 20;

/** Does not block if a pipe has replaced the file in the meantime. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a text file. Accepts only regular files and links to them: a named pipe would block until
 * somebody writes to it, and `/dev/zero` has no end.
 *
 * @throws {FileError} if it is not a regular file, is longer than {@link LONGEST_FILE} or can't be
 * read
 */
export async function readRegularFile(file: string): Promise<string> {
  try {
    assertRegular(await stat(file));
    const handle = await open(file, FLAGS);
    try {
      const chunks = new Chunks();
      while (chunks.add((await handle.read(chunks.next())).bytesRead));
      return chunks.text;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new FileError(`${file}: ${describeFileError(cause)}`, { cause });
  }
}

/**
 * Synchronous form of {@link readRegularFile}, for places where nothing else can continue
 * meanwhile.
 */
export function readRegularFileSync(file: string): string {
  try {
    assertRegular(statSync(file));
    const descriptor = openSync(file, FLAGS);
    try {
      const chunks = new Chunks();
      while (chunks.add(readSync(descriptor, chunks.next())));
      return chunks.text;
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new FileError(`${file}: ${describeFileError(cause)}`, { cause });
  }
}

const CHUNK = 64 * 2 ** 10;

/** Collects what was read. The file may grow while it is read. */
class Chunks {
  readonly #read: Buffer[] = [];
  #pending = Buffer.alloc(0);
  #size = 0;

  next(): Buffer {
    this.#pending = Buffer.alloc(CHUNK);
    return this.#pending;
  }

  /** @returns false at the end of the file */
  add(bytesRead: number): boolean {
    this.#read.push(this.#pending.subarray(0, bytesRead));
    this.#size += bytesRead;
    if (this.#size > LONGEST_FILE) throw tooLong();
    return bytesRead > 0;
  }

  get text(): string {
    return Buffer.concat(this.#read).toString('utf8');
  }
}

function assertRegular(found: Stats): void {
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a regular file`);
  if (found.size > LONGEST_FILE) throw tooLong();
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

function tooLong(): Error {
  return new Error(`it is longer than ${LONGEST_FILE / 2 ** 20} MiB`);
}
