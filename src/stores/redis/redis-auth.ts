import { ErrorReply } from 'redis';

import { isNotSignedIn, isPasswordNotNeeded, isUnknownCommand, toReplyText } from './redis-errors';

/** The credentials. Empty texts mean none. */
export interface RedisCredentials {
  readonly username: string;
  readonly password: string;
}

/** The part of a node-redis client that signing in needs. */
interface CommandSender {
  sendCommand(args: readonly string[]): Promise<unknown>;
}

/**
 * Signs in to a Redis or a Sentinel. node-redis can't do this: it gives up a connection whose AUTH
 * fails, but a server that requires no password should be used anyway, as daprd does. Without a
 * password nothing is sent, even with a user name; that is daprd's rule too (go-redis, initConn).
 *
 * @returns false if the server requires no password but one was given
 * @throws {ErrorReply} if the server refuses the credentials; the error never contains them
 */
export async function signIn(
  client: CommandSender,
  { username, password }: RedisCredentials,
): Promise<boolean> {
  if (password === '') return true;
  const pair = username === '' ? [password] : [username, password];
  try {
    await client.sendCommand(['AUTH', ...pair]);
    return true;
  } catch (error) {
    if (isPasswordNotNeeded(error)) return false;
    // If AUTH does not exist, Valkey answers as it does to any command before signing in.
    if (!isUnknownCommand(error) && !isNotSignedIn(error)) throw withoutArguments(error);
    return signInByHello(client, [username === '' ? 'default' : username, password]);
  }
}

/** The other way to sign in, which go-redis tries first. It may exist on a server without AUTH. */
async function signInByHello(client: CommandSender, pair: readonly string[]): Promise<boolean> {
  try {
    await client.sendCommand(['HELLO', '2', 'AUTH', ...pair]);
    return true;
  } catch (error) {
    // If a password is required after all, the next command fails with NOAUTH.
    if (isUnknownCommand(error) || isNotSignedIn(error)) return false;
    throw withoutArguments(error);
  }
}

/** Redis quotes the arguments of an unknown command. Here, that includes the password. */
function withoutArguments(error: unknown): unknown {
  return error instanceof ErrorReply ? new ErrorReply(toReplyText(error)) : error;
}
