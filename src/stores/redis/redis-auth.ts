import { ErrorReply } from 'redis';

import { isNotSignedIn, isPasswordNotNeeded, isUnknownCommand, toReplyText } from './redis-errors';

/** Who signs in; empty texts for none. */
export interface RedisCredentials {
  readonly username: string;
  readonly password: string;
}

/** The part of a node-redis client that signing in needs. */
interface CommandSender {
  sendCommand(args: readonly string[]): Promise<unknown>;
}

/**
 * Signs in to a Redis or a Sentinel. Not by node-redis, which gives a connection up whose AUTH fails:
 * a server that asks for no password is served all the same, as by daprd. Without a password nobody
 * signs in, whatever the user is called; that is daprd's rule as well (go-redis, initConn).
 *
 * @returns false where the server asks for no password and was given one
 * @throws {ErrorReply} where it refuses the credentials; never with what was sent
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
    // Valkey says of an AUTH that is not there what it says of any command before one has signed in.
    if (!isUnknownCommand(error) && !isNotSignedIn(error)) throw withoutArguments(error);
    return signInByHello(client, [username === '' ? 'default' : username, password]);
  }
}

/** The other way in, of which go-redis makes use first. Where AUTH is gone it may be there. */
async function signInByHello(client: CommandSender, pair: readonly string[]): Promise<boolean> {
  try {
    await client.sendCommand(['HELLO', '2', 'AUTH', ...pair]);
    return true;
  } catch (error) {
    // Whether a password is needed the next command tells: by NOAUTH.
    if (isUnknownCommand(error) || isNotSignedIn(error)) return false;
    throw withoutArguments(error);
  }
}

/** Redis quotes the arguments of a command that it does not know: here, the password. */
function withoutArguments(error: unknown): unknown {
  return error instanceof ErrorReply ? new ErrorReply(toReplyText(error)) : error;
}
