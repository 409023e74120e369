import { isUtf8 } from 'node:buffer';

import { httpErrors } from './http-errors';
import { toInt32 } from './int32-text';
import { JsonBodyError, type JsonMember, readMembers } from './json-members';

/** The fields of both lock requests as they come in a body; the store's name comes by the path. */
export interface LockRequestBody {
  readonly resourceId: string;
  readonly lockOwner: string;
  /** 0 where the body does not name it; an Unlock's is read and ignored. */
  readonly expiryInSeconds: number;
}

type FieldType = 'string' | 'int32';

/** Which fields a request has; anything else in its body is ignored. */
export type RequestFields = Readonly<Record<string, FieldType>>;

/** TryLockRequest (lock.proto), by the JSON names of its fields. */
export const TRY_LOCK_FIELDS: RequestFields = {
  storeName: 'string',
  resourceId: 'string',
  lockOwner: 'string',
  expiryInSeconds: 'int32',
};

/** UnlockRequest (lock.proto): an expiry is unknown to it, and as such ignored. */
export const UNLOCK_FIELDS: RequestFields = {
  storeName: 'string',
  resourceId: 'string',
  lockOwner: 'string',
};

/**
 * Reads a request body as daprd does: the JSON form of a proto3 message (protojson) with unknown
 * fields discarded, whatever content type the request names. An empty body is an empty message.
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
  const seen: string[] = [];
  for (const member of readMembers(toObjectText(body))) {
    const field = toFieldName(member.name, fields);
    if (field === undefined) continue;
    if (seen.includes(field)) throw new JsonBodyError(`duplicate field "${member.name}"`);
    seen.push(field);
    // null leaves a field unset.
    if (member.text !== 'null') decoded[field] = readValue(member, fields[field]);
  }
  return decoded;
}

/** The body as text that is known to be one JSON object. */
function toObjectText(body: Buffer): string {
  if (!isUtf8(body)) throw new JsonBodyError('syntax error: invalid UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text around the fault, and with it an owner.
    throw new JsonBodyError('syntax error: the body is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JsonBodyError('syntax error: the body is not a JSON object');
  }
  return text;
}

/** The field that a name stands for: its JSON name, or its name in the proto file. */
function toFieldName(name: string, fields: RequestFields): string | undefined {
  if (Object.hasOwn(fields, name)) return name;
  return Object.keys(fields).find((field) => toSnakeCase(field) === name);
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function readValue({ name, text }: JsonMember, type: FieldType | undefined): string | number {
  if (type === 'int32') return readInt32(name, text);
  if (!text.startsWith('"')) throw new JsonBodyError(`invalid value for string field ${name}`);
  return JSON.parse(text) as string;
}

/** How much of a value that is no number is shown. */
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
