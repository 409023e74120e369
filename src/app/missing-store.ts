import { toLogName } from '../components/manifest';
import type { FolderContents } from '../components/select-components';
import type { ManifestSource } from '../manifests/manifest-source';

/**
 * Explains for the log why a sidecar has no lock store. daprd logs nothing then, is ready, and
 * answers every lock call with an error. Problems within a file are reported where it is read.
 *
 * @param source where the manifests come from
 */
export function describeMissingStore(
  { places, unread }: Pick<ManifestSource, 'places' | 'unread'>,
  { manifests, passedOver, broken }: FolderContents,
): readonly string[] {
  const reasons = [
    ...(places.length === 0 ? ['no --resources-path is given'] : []),
    ...(broken.size === 0 ? [] : [`${[...broken.keys()].join(', ')} can't be read completely`]),
    ...(manifests.length === 0
      ? []
      : [
          `none of the components for this app is a lock store that is ready: ${manifests.map(toLogName).join(', ')}`,
        ]),
  ];
  const isEmpty = reasons.length === 0 && passedOver.length === 0;
  if (isEmpty) {
    const hint = unread.length === 0 ? '' : `; its subfolders are not read: ${unread.join(', ')}`;
    reasons.push(`there is no component in ${places.join(', ')}${hint}`);
  }
  const consequence = 'every lock call fails with ERR_LOCK_STORE_NOT_CONFIGURED';
  const reason = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return [`No lock store is loaded, so ${consequence}${reason}`, ...passedOver];
}
