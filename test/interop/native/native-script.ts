import type { Expectation } from '../script';

/** The line that a program awaits: by then the run has killed the servers of the locks. */
export const REDIS_IS_GONE = 'Redis is gone';

/** The line that the first program awaits: by then they are back, and the second program holds the lock. */
export const SECOND_HOLDS = 'the second holds the lock';

/** The line that the second program awaits within its hold: by then the first has ended. */
export const FIRST_HAS_ENDED = 'the first has ended';

/**
 * The first of two processes. Another one has the lock when it comes. It waits, holds the lock for longer than one
 * lease, loses it with the servers of the locks, and learns that the second has taken over: its writes are refused from then on.
 */
export const FIRST_STEPS: Readonly<Record<string, Expectation>> = {
  'acquire it while another has it': 'another has it',
  'its token is higher than the one before': 'true',
  'write with its token': 'written',
  'it is held for longer than one lease': 'true',
  'it is told that the lock is lost': 'true',
  'its hold ends with an error': ['lost'],
  'the second has the lock, with a higher token': 'true',
  'write with the old token': 'refused',
};

/** The second: it waits through the outage of the servers, and gets the lock when they are back. */
export const SECOND_STEPS: Readonly<Record<string, Expectation>> = {
  'write with its token': 'written',
  'its hold ends well': 'true',
};

/** The step at which the first program says what a hold of another lock was told, from its start to the loss of the servers. */
export const EVENTS_STEP = 'events of a hold';

/** Equal events that follow each other are told once. A renewal may fail for a moment on a busy machine. */
export const EVENTS = /^held renewed (at_risk renewed )*at_risk lost:STORE_UNREACHABLE$/;
