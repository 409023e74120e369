import { toErrorMessage } from './error-message';

/** Explanations of file system errors for the person who configured the path. */
const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not open it or a folder on its path',
  EADDRINUSE: 'another process listens there',
  EBUSY: 'it is in use',
  EIO: 'the disk reports an I/O error',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its symbolic links form a loop',
  EMFILE: 'this process has too many files open (ulimit -n)',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'this machine has too many files open',
  ENOENT: 'it does not exist, or is a broken link',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'the path, or a part of it, is a file, not a folder',
  ENXIO: 'it is a pipe that nobody reads, a socket, or a device that does not exist',
  EPERM: 'this user may not do that',
  EROFS: 'the disk is read-only',
};

/**
 * Explains why a file or folder can't be used: a sentence with the error code. For any other error,
 * its own message.
 */
export function describeFileError(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  const code = isCoded ? String(error.code) : '';
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  return sentence === undefined ? toErrorMessage(error) : `${sentence} (${code})`;
}
