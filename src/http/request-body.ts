import { toInt32 } from '../go/int32-text';
import { JsonBodyError, type JsonMember, readMembers, WantedNames } from '../go/json-members';
import { httpErrors } from './http-errors';

/** The fields of both lock requests in a body. The store's name is in the path. */
export interface LockRequestBody {
  readonly resourceId: string;
  readonly lockOwner: string;
  /** 0 if the body does not contain it. Ignored for Unlock. */
  readonly expiryInSeconds: number;
}

type FieldType = 'string' | 'int32';

/** The fields of a request. Other members of its body are ignored. */
export class RequestFields {
  /** The accepted names of members: the JSON name of each field and its name in the proto file. */
  readonly names: WantedNames;
  readonly #types: Readonly<Record<string, FieldType>>;
  readonly #fieldByName: ReadonlyMap<string, string>;

  /** @param types the type of each field, by its JSON name */
  constructor(types: Readonly<Record<string, FieldType>>) {
    const fields = Object.keys(types);
    this.#types = types;
    this.#fieldByName = new Map(
      fields.flatMap((field) => [field, toSnakeCase(field)].map((name) => [name, field])),
    );
    this.names = new WantedNames([...this.#fieldByName.keys()]);
  }

  /** Finds a field by one of its names. */
  find(name: string): { readonly field: string; readonly type: FieldType } | undefined {
    const field = this.#fieldByName.get(name);
    const type = field === undefined ? undefined : this.#types[field];
    return field === undefined || type === undefined ? undefined : { field, type };
  }
}

/** TryLockRequest (lock.proto). */
export const TRY_LOCK_FIELDS = new RequestFields({
  storeName: 'string',
  resourceId: 'string',
  lockOwner: 'string',
  expiryInSeconds: 'int32',
});

/** UnlockRequest (lock.proto). It has no expiry, so an expiry in the body is ignored. */
export const UNLOCK_FIELDS = new RequestFields({
  storeName: 'string',
  resourceId: 'string',
  lockOwner: 'string',
});

/**
 * Reads a request body as daprd does: as the JSON form of a proto3 message (protojson). Unknown
 * fields are ignored, and so is the content type. An empty body is an empty message.
 *
 * @throws {HttpError} `bodyMalformed`, with a reason that names the field and quotes no owner
 */
export function decodeLockRequest(body: Buffer, fields: RequestFields): LockRequestBody {
  try {
    return { resourceId: '', lockOwner: '', expiryInSeconds: 0, ...decode(body, fields) };
  } catch (error) {
    if (!(error instanceof JsonBodyError)) throw error;
    throw httpErrors.bodyMalformed(`proto: ${error.message}`);
  }
}

function decode(body: Buffer, fields: RequestFields): Partial<LockRequestBody> {
  if (body.length === 0) return {};
  const decoded: Record<string, string | number> = {};
  const seen = new Set<string>();
  const take = (member: JsonMember): void => {
    const found = fields.find(member.name);
    if (found === undefined) return;
    const { field, type } = found;
    if (seen.has(field)) throw new JsonBodyError(`duplicate field "${member.name}"`);
    seen.add(field);
    // null leaves a field unset.
    if (member.text !== 'null') decoded[field] = readValue(member, type);
  };
  readMembers(body, { wanted: fields.names, take });
  return decoded;
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function readValue({ name, text }: JsonMember, type: FieldType): string | number {
  if (type === 'int32') return readInt32(name, text);
  if (!text.startsWith('"')) throw new JsonBodyError(`invalid value for string field ${name}`);
  return JSON.parse(text) as string;
}

/** How many characters of a value that is not a number an error shows. */
const SHOWN_CHARACTERS = 40;

function readInt32(name: string, text: string): number {
  const digits = text.startsWith('"') ? (JSON.parse(text) as string) : text;
  const value = toInt32(digits);
  if (value === undefined) {
    throw new JsonBodyError(
      `invalid value for int32 field ${name}: ${text.slice(0, SHOWN_CHARACTERS)}`,
    );
  }
  return value;
}
