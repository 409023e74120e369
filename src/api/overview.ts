/** A sidecar's own state, from its memory: the data of the page beside the locks themselves. */
export interface SidecarOverview {
  readonly appId: string;
  /** The version of Holdfast. */
  readonly version: string;
  /** Differs after a restart of the sidecar. */
  readonly instance: string;
  /** How long the sidecar runs, in whole milliseconds. */
  readonly uptimeMs: number;
  /** In loading order, then those that are not loaded yet. */
  readonly stores: readonly StoreOverview[];
  /** All kinds together, the latest first. */
  readonly recent: readonly RecentEvent[];
}

/** A store and its calls through this sidecar. */
export interface StoreOverview {
  readonly name: string;
  /** The type of its component, for example `lock.redis`. Empty while it is not loaded. */
  readonly type: string;
  /**
   * - `up`: its server answers
   * - `down`: its server can't be reached
   * - `loading`: its component is not ready, and calls do not find it
   */
  readonly state: 'up' | 'down' | 'loading';
  /** How long it has been in this state, in whole milliseconds. */
  readonly sinceMs: number;
  /** Calls that wait for a lock. */
  readonly waiting: number;
  /** Calls that hold a lock. */
  readonly holding: number;
  /** Granted and refused calls in each of the last {@link SHOWN_MINUTES} minutes, the latest last. */
  readonly granted: readonly number[];
  readonly refused: readonly number[];
}

/** How many minutes of a store's calls are shown. The last of them ends now. */
export const SHOWN_MINUTES = 30;

/**
 * - `lost`: a held or renewed lock was lost, or left to expire because its client fell silent
 * - `freed`: a lock was released by force
 * - `failed`: the call failed, or was refused because of overload
 */
export type RecentKind = 'granted' | 'refused' | 'lost' | 'freed' | 'failed';

/** Something that happened to a lock through this sidecar. */
export interface RecentEvent {
  readonly kind: RecentKind;
  /** How long ago, in whole milliseconds. */
  readonly agoMs: number;
  readonly storeName: string;
  /** Cut by {@link toShown}. */
  readonly resourceId: string;
  /** Empty if it is not known. Cut like the resource. */
  readonly lockOwner: string;
  /** Why it was lost, freed or failed. Empty otherwise. Cut like the resource. */
  readonly reason: string;
}

/** The longest resource, owner and reason of a {@link RecentEvent}, in UTF-16 units. */
export const LONGEST_SHOWN = 256;

/** Cuts a text of a {@link RecentEvent}. */
export function toShown(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
