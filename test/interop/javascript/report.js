const { randomUUID } = require('node:crypto');
const { DaprClient } = require('@dapr/dapr');

async function writeReport(work, client = new DaprClient()) {
  const owner = randomUUID(); // a name of its own for each lock that is taken
  const { success } = await client.lock.lock('lockstore', 'my_file_name', owner, 60);
  if (!success) return; // somebody else has it: that is an answer, not an error
  try {
    await work();
  } finally {
    await client.lock.unlock('lockstore', 'my_file_name', owner);
  }
}

module.exports = { writeReport };
