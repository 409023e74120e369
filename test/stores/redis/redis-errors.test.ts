import { ErrorReply } from 'redis';

import { isForbidden, isReadOnly, toStoreError } from '../../../src/stores/redis/redis-errors';

describe('what a script may not do', () => {
  it.each([
    // Redis 6, where the script's own error is wrapped.
    "ERR Error running script (call to f_6a3b): @user_script:1: @user_script: 1: The user executing the script can't run this command or subcommand",
    "ERR Error running script (call to f_6a3b): @user_script:4: @user_script: 4: The user executing the script can't access at least one of the keys mentioned in the command arguments",
    'ERR Error running script (call to f_6a3b): @user_script:1: @user_script: 1: The user executing the script is lacking the permissions for the command',
    'ERR Error running script (call to f_6a3b): @user_script:1: @user_script: 1: This Redis command is not allowed from scripts',
    // Redis 7, 8 and Valkey.
    "ERR ACL failure in script: User narrow has no permissions to run the 'set' command script: 6a3b, on @user_script:1.",
    'ERR ACL failure in script: No permissions to access a key script: 6a3b, on @user_script:1.',
    "NOPERM ACL failure in script: User narrow has no permissions to run the 'set' command",
    'ERR This Redis command is not allowed from script script: 6a3b, on @user_script:1.',
    // Outside of a script.
    "NOPERM User narrow has no permissions to run the 'evalsha' command",
    'NOPERM this user has no permissions to access one of the keys used as arguments',
  ])('is a missing permission: %s', (reply) => {
    const error = new ErrorReply(reply);
    expect(isForbidden(error)).toBe(true);
    expect(toStoreError(error, undefined)).toMatchObject({
      kind: 'rejected',
      outcome: 'not-applied',
      message: `the Redis user lacks a permission: ${reply}`,
    });
  });

  it.each(['ERR syntax error', 'OOM command not allowed', 'WRONGTYPE Operation against a key'])(
    'is not what %s means',
    (reply) => {
      expect(isForbidden(new ErrorReply(reply))).toBe(false);
    },
  );
});

describe('an error that Redis 6 wraps, as a command in a script met it', () => {
  const wrap = (reply: string): ErrorReply =>
    new ErrorReply(
      `ERR Error running script (call to f_6a3b): @user_script:31: @user_script: 31: -${reply}`,
    );

  it.each([
    ['OOM command not allowed when used memory > maxmemory.', 'Redis has no memory left'],
    ['READONLY You can not write against a read only replica.', 'this Redis is a read-only'],
    ['MISCONF Redis is configured to save RDB snapshots', 'Redis refuses writes because it cannot'],
    [
      'NOREPLICAS Not enough good replicas to write.',
      'Redis refuses writes because it has too few',
    ],
    ['WRONGTYPE Operation against a key', 'the key of the lock has a value of another type'],
  ])('is the row of %s', (reply, meaning) => {
    expect(toStoreError(wrap(reply), undefined).message).toContain(meaning);
  });

  it('ends the connection to a replica', () => {
    expect(isReadOnly(wrap('READONLY You can not write against a read only replica.'))).toBe(true);
  });
});
