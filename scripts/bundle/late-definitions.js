'use strict';
// Which parts of a package definition are created late, and how. Part of the bundle.

/** Placeholder in an outline for a function or a value that is loaded at its first use. */
const LATE_FUNCTION = '\0late function';
const LATE_VALUE = '\0late value';

/**
 * Returns an outline with its placeholders replaced. `load` returns the whole definition of the
 * outline.
 */
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
