/** A range of keys, for a request. */
export interface KeyRange {
  readonly key: Buffer;
  /** The first key after it. */
  readonly rangeEnd: Buffer;
}

/** The value of a lock's key, decoded. */
export interface Holder {
  readonly attemptId: string;
  readonly owner: string;
}

/** `attempt:owner`; the attempt is 32 hexadecimal digits. */
const VALUE = /^([0-9a-f]{32}):([\s\S]*)$/;

/** How many digits a place in a queue has, so that the order of the keys is that of the places. */
const PLACE_DIGITS = 16;

/**
 * The keys of a store. A lock has its own name (`lock||app||resource`), and nothing beside locks
 * begins with `lock||`.
 */
export class EtcdKeys {
  readonly #path: string;

  /** @param path stands before every key */
  constructor(path: string) {
    this.#path = path;
  }

  /** The key of a lock. */
  lock(name: string): Buffer {
    return Buffer.from(this.#path + name);
  }

  /** The name of a lock, from its key. */
  nameOf(key: Buffer): string {
    return key.toString().slice(this.#path.length);
  }

  /** The locks whose names begin with a text. */
  locks(namePrefix: string): KeyRange {
    return toRange(this.#path + namePrefix);
  }

  /** The trace that a release leaves. */
  trace(name: string, attemptId: string): Buffer {
    return Buffer.from(`${this.#path}lock-released||${attemptId}||${name}`);
  }

  /**
   * The tickets of a lock. The length of its name keeps them apart from those of a lock whose name
   * begins with it.
   */
  queue(name: string): KeyRange {
    return toRange(this.#queuePrefix(name));
  }

  /** A ticket. The lower its place, the earlier its turn. */
  ticket(name: string, place: string, attemptId: string): Buffer {
    const digits = place.padStart(PLACE_DIGITS, '0');
    return Buffer.from(`${this.#queuePrefix(name)}${digits}||${attemptId}`);
  }

  /** The mark of an attempt that has left, and whose ticket may still be on its way. */
  left(attemptId: string): Buffer {
    return Buffer.from(`${this.#path}lock-left||${attemptId}`);
  }

  /** The attempt of a ticket, from its key. */
  attemptOf(ticket: Buffer): string {
    return ticket.toString().slice(-32);
  }

  #queuePrefix(name: string): string {
    return `${this.#path}lock-queue||${Buffer.byteLength(name)}||${name}||`;
  }
}

/** The value of a lock's key. */
export function toValue({ attemptId, owner }: Holder): Buffer {
  return Buffer.from(`${attemptId}:${owner}`);
}

/** Reads the value of a lock's key. One that was put by hand belongs to no attempt. */
export function parseValue(value: Buffer): Holder {
  const text = value.toString();
  const [, attemptId, owner] = VALUE.exec(text) ?? [];
  return attemptId === undefined || owner === undefined
    ? { attemptId: '', owner: text }
    : { attemptId, owner };
}

/** The keys that begin with a text. */
function toRange(prefix: string): KeyRange {
  const key = Buffer.from(prefix);
  const rangeEnd = Buffer.from(key);
  // UTF-8 has no byte 0xff, so the last byte can always be raised.
  const last = rangeEnd.length - 1;
  rangeEnd[last] = (rangeEnd[last] ?? 0) + 1;
  return { key, rangeEnd };
}
