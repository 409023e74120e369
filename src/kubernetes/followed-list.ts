import { setTimeout as pause } from 'node:timers/promises';

import { processClock } from '../base/clock';
import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { runWithin } from '../base/race';
import { Trouble } from '../base/trouble';
import type { ApiClient } from './api-client';
import { ApiError, isExpired, toEventError } from './api-error';
import { type ApiList, type ApiObject, toApiList } from './api-object';

/** The objects to follow. */
export interface FollowedListOptions {
  readonly client: ApiClient;
  /** The path of the collection. */
  readonly path: string;
  /** The only object that is wanted. Undefined for all. */
  readonly name?: string;
  /** The name of the objects in messages. */
  readonly what: string;
  /** True if the cluster may not know this kind at all. There are no objects then. */
  readonly isOptional?: boolean;
  readonly logger: Logger;
}

/** An event of a watch. */
interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiObject;
}

/** After this time the server ends a watch, in seconds. The next one continues there. */
const WATCH_SECONDS = 300;

/** A watch that goes on for so much longer is dead, in milliseconds. */
const OVERRUN_MS = 15_000;

/** A watch that lasts for so long works, in milliseconds. One that ends earlier is a failure. */
const STEADY_MS = 1000;

/** The pause before the next watch, in milliseconds: the shortest, doubled by each failure, and the longest. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The objects of a collection. They are listed, and then followed by watches, each of which
 * continues where the one before ended (Kubernetes API concepts, "Efficient detection of changes").
 */
export class FollowedList {
  readonly #options: FollowedListOptions;
  readonly #trouble: Trouble;
  #objects = new Map<string, ApiObject>();
  /** Where the next watch continues. Undefined if the objects must be listed first. */
  #version: string | undefined;
  /** How often the objects were told. An answer to an earlier request is out of date. */
  #told = 0;
  #failures = 0;
  /** True if the objects changed, and whoever follows them was not told yet. */
  #hasNews = false;
  /** True while a watch tells every change. */
  #isCurrent = false;
  #following: AbortController | undefined;

  constructor(options: FollowedListOptions) {
    const { what, logger } = options;
    this.#options = options;
    this.#trouble = new Trouble({
      clock: processClock,
      onFailing: ({ reason, failures }, isFirst) => {
        const count = isFirst ? '' : ` (${failures} more times)`;
        logger.warn(`Watching ${what} fails${count}: ${reason}; what was read stays in use`);
      },
      onOver: ({ failures }) => {
        logger.info(`Watching ${what} works again after ${failures} failures`);
      },
    });
  }

  /**
   * The objects, by name order. They are listed, unless a watch keeps them up to date.
   *
   * @throws {ApiError} if they can't be listed
   */
  async read(): Promise<readonly ApiObject[]> {
    if (!this.#isCurrent) await this.#list();
    const names = [...this.#objects.keys()].sort();
    return names.flatMap((name) => this.#objects.get(name) ?? []);
  }

  /**
   * Follows the objects until the returned function is called.
   *
   * @param onChange called after every change
   */
  follow(onChange: () => void): () => void {
    const following = new AbortController();
    this.#following?.abort();
    this.#following = following;
    this.#hasNews = false;
    void this.#follow(following.signal, onChange);
    return () => {
      following.abort();
      this.#isCurrent = false;
      this.#trouble.drop();
    };
  }

  async #follow(signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        this.#tell(onChange);
        if (this.#version !== undefined) await this.#watch(this.#version, signal, onChange);
        else this.#failures += 1;
      } catch (error) {
        this.#fail(error, signal);
      } finally {
        this.#isCurrent = false;
      }
      await this.#rest(signal);
    }
  }

  #fail(error: unknown, { aborted }: AbortSignal): void {
    if (aborted) return;
    this.#failures += 1;
    // The server keeps changes for some minutes only. That is no trouble.
    if (isExpired(error)) this.#version = undefined;
    else this.#trouble.failed(toErrorMessage(error));
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const longest = SHORTEST_PAUSE_MS * 2 ** Math.min(this.#failures, 10);
    const pauseMs = Math.min(longest, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
    await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
  }

  /** A reading may have failed after it saw a change, so the news count, not who saw them. */
  #tell(onChange: () => void): void {
    if (this.#hasNews) onChange();
    this.#hasNews = false;
  }

  /** Lists the objects anew. An answer is dropped if a watch or another list was faster. */
  async #list(): Promise<void> {
    const told = this.#told;
    const list = await this.#requestList();
    if (this.#told !== told) return;
    this.#version = list?.resourceVersion ?? this.#version;
    this.#take(list?.objects ?? []);
  }

  /** Undefined if the kind is optional, and the cluster does not know it. */
  async #requestList(): Promise<ApiList | undefined> {
    const { client, path, isOptional = false } = this.#options;
    try {
      return toApiList(await client.get(`${path}${this.#toQuery({})}`));
    } catch (error) {
      const isUnknownKind = error instanceof ApiError && error.status === 404;
      if (!isUnknownKind || !isOptional) throw error;
      return undefined;
    }
  }

  #take(objects: readonly ApiObject[]): void {
    const before = this.#objects;
    this.#told += 1;
    this.#objects = new Map(objects.map((object) => [object.metadata.name, object]));
    const isChanged = ({ metadata: { name, resourceVersion } }: ApiObject): boolean =>
      before.get(name)?.metadata.resourceVersion !== resourceVersion;
    if (before.size !== this.#objects.size || objects.some(isChanged)) this.#hasNews = true;
  }

  async #watch(version: string, following: AbortSignal, onChange: () => void): Promise<void> {
    const { client, path } = this.#options;
    const query = this.#toQuery({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const limit = { afterMs: WATCH_SECONDS * 1000 + OVERRUN_MS, signals: [following] };
    const steadiness = new Steadiness(() => {
      this.#failures = 0;
      this.#trouble.succeeded();
    });
    const onAnswer = (): void => {
      this.#isCurrent = true;
      // From here on, the watch tells every change.
      this.#told += 1;
      steadiness.start();
    };
    try {
      await runWithin(limit, async (signal) => {
        for await (const line of client.lines(`${path}${query}`, { signal, onAnswer })) {
          this.#apply(parseEvent(line, client.urlOf(path)));
          this.#tell(onChange);
        }
      });
    } finally {
      steadiness.stop();
    }
    if (!steadiness.isReached) throw new ApiError(`${client.urlOf(path)}: the watch ended at once`);
  }

  #apply({ type, object }: WatchEvent): void {
    const { name, resourceVersion } = object.metadata;
    this.#version = resourceVersion;
    this.#told += 1;
    this.#failures = 0;
    if (type === 'BOOKMARK') return;
    if (type === 'DELETED') this.#objects.delete(name);
    else this.#objects.set(name, object);
    this.#hasNews = true;
  }

  #toQuery(parameters: Readonly<Record<string, string>>): string {
    const { name } = this.#options;
    const selected = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
    const text = new URLSearchParams({ ...parameters, ...selected }).toString();
    return text === '' ? '' : `?${text}`;
  }
}

/** Whether a watch has lasted for a while. */
class Steadiness {
  isReached = false;
  readonly #onReached: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onReached: () => void) {
    this.#onReached = onReached;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.isReached = true;
      this.#onReached();
    }, STEADY_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** @throws {ApiError} for an error event, and for what is no event */
function parseEvent(line: string, url: string): WatchEvent {
  let event: WatchEvent;
  try {
    event = JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw new ApiError(`${url}: an event is no JSON`, { cause });
  }
  if (event.type === 'ERROR') throw toEventError(url, event.object);
  return event;
}
