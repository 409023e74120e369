import type { Attack } from './attack';
import { floor } from './attacks/floor';

/** Every attack, in the order of the table. One import and one line each. */
export const ATTACKS: readonly Attack[] = [floor];
