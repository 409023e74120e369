import type { SideKeySpelling } from './side-keys';

/** Groups the keys of locks by the tag of their side keys: a script may only touch one group. */
export function byTag(
  keys: readonly string[],
  { tagOf }: Pick<SideKeySpelling, 'tagOf'>,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const tag = tagOf(key);
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [key]);
    else group.push(key);
  }
  return groups;
}
