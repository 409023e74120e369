'use strict';
// What of a package definition is made late, and how it is asked for. Part of the bundle.

/** Stands in an outline for a function, and for a value, that is loaded when it is first used. */
const LATE_FUNCTION = '\0late function';
const LATE_VALUE = '\0late value';

/** An outline with what is late in its place; `load` gives the whole that it is the outline of. */
function reviveLate(outline, load) {
  const revived = {};
  for (const [key, member] of Object.entries(outline)) {
    if (member === LATE_FUNCTION) revived[key] = (...args) => load()[key](...args);
    else if (member === LATE_VALUE) {
      Object.defineProperty(revived, key, { enumerable: true, get: () => load()[key] });
    } else if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      revived[key] = reviveLate(member, () => load()[key]);
    } else revived[key] = member;
  }
  return revived;
}

module.exports = { LATE_FUNCTION, LATE_VALUE, reviveLate };
