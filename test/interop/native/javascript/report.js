const { hold } = require('./hold.js');
const { createLocks } = require('./locks.js');

/** Waits for up to a minute for the lock, and calls write(token, signal) while it has it. */
async function writeReport(write) {
  const locks = createLocks();
  const lock = { storeName: 'lockstore', resourceId: 'my_file_name' };
  try {
    return await hold(locks, { ...lock, ttlMs: 10_000, waitMs: 60_000 }, write);
  } finally {
    locks.close();
  }
}

module.exports = { writeReport };
