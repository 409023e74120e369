"""A user's program on Dapr's Python SDK, which uses state, a subscription and locks at one address.

Each step is printed as "step<TAB>answer".
"""

from dapr.clients import DaprClient


def say(step, answer):
    print(f'{step}\t{answer}', flush=True)


with DaprClient() as client:
    lock = client.try_lock('lockstore', 'python', 'a', 60)
    say('lock', lock.success)
    client.save_state('statestore', 'python', 'value')
    say('state', client.get_state('statestore', 'python').data.decode())
    say('large state', len(client.get_state('statestore', 'big-3000000').data))
    subscription = client.subscribe('pubsub', 'python')
    for count in range(3):
        event = f'event {count}'
        client.publish_event('pubsub', 'python', event, data_content_type='text/plain')
        message = subscription.next_message()
        say(f'event {count}', message.data())
        subscription.respond_success(message)
    say('lock again while subscribed', client.try_lock('lockstore', 'python', 'a', 60).success)
    subscription.close()
    metadata = client.get_metadata()
    say('id', metadata.application_id)
    for component in metadata.registered_components:
        say(f'component {component.name}', component.type)
    say('unlock', client.unlock('lockstore', 'python', 'a').status.name)
