import { readMembers } from '../go/json-members';
import { type RegisteredComponent, withoutThose } from '../sidecar/metadata';
import { toComponentBody } from './metadata-body';

/** Takes every member of the object, whatever its name is. */
const ALL = { has: () => true, shortest: 0, longestText: Infinity };

const COMPONENTS = 'components';

/**
 * Adds components to the metadata of another sidecar. All other members stay as they are written, so
 * that unknown ones and long numbers are kept. Components that it has already are not added.
 *
 * @throws {JsonBodyError} if the body is not a JSON object
 */
export function joinMetadata(body: Buffer, components: readonly RegisteredComponent[]): Buffer {
  const members: { name: string; text: string }[] = [];
  readMembers(body, { wanted: ALL, take: (member) => members.push({ ...member }) });
  const found = members.find(({ name }) => name === COMPONENTS);
  const known = found ?? { name: COMPONENTS, text: '[]' };
  known.text = withComponents(known.text, components);
  if (found === undefined) members.push(known);
  const written = members.map(({ name, text }) => `${JSON.stringify(name)}:${text}`);
  return Buffer.from(`{${written.join(',')}}\n`);
}

function withComponents(list: string, components: readonly RegisteredComponent[]): string {
  const parsed: unknown = JSON.parse(list);
  const theirs = Array.isArray(parsed) ? (parsed as Partial<RegisteredComponent>[]) : [];
  const written = withoutThose(theirs, components).map((component) =>
    JSON.stringify(toComponentBody(component)),
  );
  if (theirs.length === 0) return `[${written.join(',')}]`;
  return `${[list.slice(0, list.lastIndexOf(']')), ...written].join(',')}]`;
}
