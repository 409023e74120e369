import { byKey, type Operation } from './history';
import type { Account, RuleBreak } from './rule-breaks';

/** How far the clocks of two processes may be apart, with what NTP does to them in a run. */
const SLACK_MS = 100;

/** From here on neighbouring numbers are one to Lua and to JSON. */
const TOO_HIGH = 2 ** 53;

/** Tokens rise from grant to grant of a lock, and each is drawn by its grant (N2). */
export function findTokenBreaks(account: Account): RuleBreak[] {
  const grants = account.operations.filter(
    ({ answer, token = 0 }) => answer === 'acquired' && token !== 0,
  );
  return [
    ...grants.flatMap((grant) => checkToken(grant, account)),
    ...[...byKey(grants).values()].flatMap(findFalling),
  ];
}

function checkToken(grant: Operation, account: Account): RuleBreak[] {
  const { token = 0, calledAtMs, returnedAtMs } = grant;
  if (!Number.isInteger(token) || token < 1 || token >= TOO_HIGH) {
    return [{ what: `${token} is no token`, about: grant }];
  }
  const { fromMs, toMs } = account.drawnAt(token);
  if (toMs > calledAtMs - SLACK_MS && fromMs < returnedAtMs + SLACK_MS) return [];
  const atMs = toMs > calledAtMs - SLACK_MS ? fromMs : toMs;
  return [{ what: `the token was drawn at ${atMs.toFixed(1)}, not by the grant`, about: grant }];
}

/** Grants of one lock whose token is not higher than that of one which was answered before they were called. */
function findFalling(grants: readonly Operation[]): RuleBreak[] {
  const byReturn = [...grants].sort((one, other) => one.returnedAtMs - other.returnedAtMs);
  let [answered, highest] = [0, 0];
  return [...grants]
    .sort((one, other) => one.calledAtMs - other.calledAtMs)
    .flatMap((grant): RuleBreak[] => {
      while (byReturn[answered]!.returnedAtMs < grant.calledAtMs) {
        highest = Math.max(highest, byReturn[answered]!.token ?? 0);
        answered += 1;
      }
      if ((grant.token ?? 0) > highest) return [];
      return [{ what: `its token is not higher than the earlier ${highest}`, about: grant }];
    });
}
