'use strict';
// A user's program on Dapr's JavaScript SDK, which uses state and locks at one address, over HTTP or gRPC
// by PROTOCOL. Each step is printed as "step<TAB>answer".

const { Buffer } = require('node:buffer');
const { CommunicationProtocolEnum, DaprClient, LogLevel } = require('@dapr/dapr');

const say = (step, answer) => console.log(`${step}\t${answer}`);

/** The SDK has no call for a streaming subscription yet, but gives its generated client. */
async function subscribe(client) {
  const grpc = await client.daprClient.getClient();
  const answers = [];
  let wake;
  async function* requests() {
    const value = { pubsubName: 'pubsub', topic: 'javascript' };
    yield { subscribeTopicEventsRequestType: { case: 'initialRequest', value } };
    for (let count = 0; count < 3; count += 1) {
      if (answers.length === 0) await new Promise((resolve) => (wake = resolve));
      yield { subscribeTopicEventsRequestType: { case: 'eventProcessed', value: answers.shift() } };
    }
  }
  let count = 0;
  const publish = () => client.pubsub.publish('pubsub', 'javascript', `event ${count}`);
  for await (const { subscribeTopicEventsResponseType: event } of grpc.subscribeTopicEventsAlpha1(
    requests(),
  )) {
    if (event.case === 'eventMessage') {
      say(`event ${count}`, Buffer.from(event.value.data).toString());
      count += 1;
      answers.push({ id: event.value.id, status: { status: 0 } });
      wake?.();
    }
    if (count < 3) await publish();
  }
}

async function main() {
  const communicationProtocol =
    process.env.PROTOCOL === 'grpc'
      ? CommunicationProtocolEnum.GRPC
      : CommunicationProtocolEnum.HTTP;
  const client = new DaprClient({ communicationProtocol, logger: { level: LogLevel.Error } });
  const key = `javascript-${process.env.PROTOCOL}`;
  say('lock', (await client.lock.lock('lockstore', key, 'a', 60)).success);
  await client.state.save('statestore', [{ key, value: 'value' }]);
  say('state', await client.state.get('statestore', key));
  if (process.env.PROTOCOL === 'grpc') await subscribe(client);
  say('lock again', (await client.lock.lock('lockstore', key, 'a', 60)).success);
  const metadata = await client.metadata.get();
  say('id', metadata.id);
  for (const { name, type } of metadata.components) say(`component ${name}`, type);
  say('unlock', (await client.lock.unlock('lockstore', key, 'a')).status);
  await client.stop();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
