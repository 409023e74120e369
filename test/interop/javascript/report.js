const { randomUUID } = require('node:crypto');
const { hostname } = require('node:os');
const { DaprClient } = require('@dapr/dapr');

/** Does the work and resolves with true, or with false: somebody else has the lock. */
async function writeReport(work, client = new DaprClient()) {
  const owner = `${hostname()}-${process.pid}-${randomUUID()}`;
  const { success } = await client.lock.lock('lockstore', 'my_file_name', owner, 60);
  if (!success) return false;
  const release = async () => {
    const { status } = await client.lock.unlock('lockstore', 'my_file_name', owner);
    if (status !== 0)
      throw new Error(`the lease was over before the work: unlock status ${status}`);
  };
  try {
    await work();
  } catch (error) {
    await release().catch(console.error); // the caller gets the error of the work
    throw error;
  }
  await release();
  return true;
}

module.exports = { writeReport };
