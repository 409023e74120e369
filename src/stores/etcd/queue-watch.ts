import type { ClientDuplexStream } from '@grpc/grpc-js';

import type { WatchRequest, WatchResponse } from './etcd-api';
import type { EtcdKeys } from './etcd-keys';
import type { EtcdLink } from './etcd-link';

/** Pause before a stream or a watch that etcd has ended is opened again, in milliseconds. */
const PAUSE_MS = 100;

/** The options of {@link QueueWatch}. */
export interface QueueWatchOptions {
  readonly keys: EtcdKeys;
  /** The present link. Undefined while etcd is away. */
  readonly linkOf: () => EtcdLink | undefined;
  /** Called when a lock was released or has ended, when a ticket has gone, and when a watch begins. */
  readonly onChange: (name: string) => void;
  /** Called when the stream stands, at first or again. Earlier events may have been missed. */
  readonly onOpen: () => void;
}

/**
 * Watches the locks that are waited for, and their queues, for what is deleted: two watches for each
 * lock, all on one stream.
 */
export class QueueWatch {
  readonly #options: QueueWatchOptions;
  readonly #ids = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #stream: ClientDuplexStream<WatchRequest, WatchResponse> | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(options: QueueWatchOptions) {
    this.#options = options;
  }

  /** Begins to watch a lock, unless it is watched. */
  add(name: string): void {
    if (this.#ids.has(name)) return;
    // A stream does not take the id of an ended watch at once, so none is used twice.
    this.#lastId += 2;
    this.#ids.set(name, this.#lastId);
    this.#names.set(this.#lastId, name);
    if (this.#stream === undefined) this.open();
    else this.#create(name);
  }

  /** Ends the watch of a lock. */
  remove(name: string): void {
    const id = this.#ids.get(name);
    if (id === undefined) return;
    this.#ids.delete(name);
    this.#names.delete(id);
    for (const watchId of [id, id + 1]) {
      this.#stream?.write({ cancelRequest: { watchId: String(watchId) } });
    }
  }

  /** Opens the stream on the present link, if there is something to watch. */
  open(): void {
    const link = this.#options.linkOf();
    if (this.#isClosed || link === undefined || this.#ids.size === 0) return;
    if (this.#stream !== undefined || link.endReason !== undefined) return;
    const stream = link.open(link.api.watch);
    this.#stream = stream;
    stream.on('data', (response: WatchResponse) => {
      this.#read(response);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#later(() => {
        this.open();
      });
    });
    for (const name of this.#ids.keys()) this.#create(name);
    this.#options.onOpen();
  }

  /** Ends all watches. */
  close(): void {
    this.#isClosed = true;
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #create(name: string): void {
    const id = this.#ids.get(name);
    if (id === undefined) return;
    const { keys } = this.#options;
    const watches = [{ key: keys.lock(name) }, keys.queue(name)];
    for (const [index, watched] of watches.entries()) {
      const watchId = String(id + index);
      this.#stream?.write({ createRequest: { ...watched, filters: ['NOPUT'], watchId } });
    }
  }

  #read({ watchId, canceled, created, events }: WatchResponse): void {
    const id = Number(watchId) & ~1;
    const name = this.#names.get(id);
    if (name === undefined) return;
    if (canceled) this.#watchAnew(name, id);
    else if (created || events.length > 0) this.#options.onChange(name);
  }

  /** etcd ends the watch of a reader that is too slow, when what it has not read is compacted. */
  #watchAnew(name: string, id: number): void {
    // Both watches of a lock may be ended.
    if (this.#ids.get(name) !== id) return;
    this.remove(name);
    this.#later(() => {
      this.add(name);
    });
  }

  #later(run: () => void): void {
    setTimeout(run, PAUSE_MS).unref();
  }
}
