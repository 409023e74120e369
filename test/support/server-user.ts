import { readFileSync } from 'node:fs';

/**
 * The user for a server that refuses to run as root: the named one, or else nobody. Empty where this
 * process is not root.
 */
export function userFor(name: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const find = (user: string) => lines.find((line) => line.startsWith(`${user}:`));
  const [, , uid, gid] = (find(name) ?? find('nobody') ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
