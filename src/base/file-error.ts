import { toErrorMessage } from './error-message';

/** What the errors of the file system mean to whoever named the path. */
const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'this user may not open it, or not look into a folder on its path',
  EADDRINUSE: 'something else listens there',
  EBUSY: 'it is in use',
  EIO: 'the disk fails',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'this process has too many files open (ulimit -n)',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'this machine has too many files open',
  ENOENT: 'it is not there, or is a link that leads nowhere',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'it is a file, or leads through one, where a folder is needed',
  ENXIO: 'it is a pipe that nobody reads, a socket, or a device that is not there',
  EPERM: 'this user may not do that',
  EROFS: 'the disk can only be read',
};

/** Why a file or folder can't be used: a sentence with its code; another error's own message. */
export function describeFileError(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  const code = isCoded ? String(error.code) : '';
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  return sentence === undefined ? toErrorMessage(error) : `${sentence} (${code})`;
}
