/** The events that the rules of a run judge, and those that may be excused. */
export const RULES = {
  'order: grants beside a ticket of another waiter': 0.6,
  'end: holds that lasted beyond their last promise or wait': 0.2,
  'leaving: locks of holds whose client left': 0.75,
  'idleness: refused waits of 2 s and more': 0.85,
  'outcomes: calls by which another may have been refused twice': 0.75,
  'withdrawals: calls of unknown outcome that may have taken a lock': 0.75,
  'withdrawals: locks that were granted as their client left, and kept': 0.02,
  "Redis's view: answers beside what MONITOR showed": 0.5,
} as const satisfies Record<string, number>;

/** A rule by its name in the report. */
export type RuleName = keyof typeof RULES;

/** How often a rule was asked, and how often a nearby trouble excused the answer. */
export interface Share {
  readonly judged: number;
  readonly excused: number;
}

/** Fewer than so many say nothing about a share. */
const LEAST = 50;

/** Counts what was judged and what was excused, so that a run that excuses too much can't pass for a proof. */
export class Tally {
  readonly #shares = new Map<RuleName, Share>();

  /** Counts one thing; true where it is excused. */
  count(rule: RuleName, isExcused: boolean): boolean {
    const { judged, excused } = this.of(rule);
    this.#shares.set(rule, { judged: judged + 1, excused: excused + (isExcused ? 1 : 0) });
    return isExcused;
  }

  /** The counts of a rule. */
  of(rule: RuleName): Share {
    return this.#shares.get(rule) ?? { judged: 0, excused: 0 };
  }

  /** The rules of which more was excused than may be: the run is no proof of them. */
  get unproven(): RuleName[] {
    return (Object.keys(RULES) as RuleName[]).filter((rule) => {
      const { judged, excused } = this.of(rule);
      return judged >= LEAST && excused > RULES[rule] * judged;
    });
  }
}
