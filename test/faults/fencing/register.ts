import { createClient } from 'redis';

/** A resource that is read and written under a lock: a number, which each writer raises by one. */
export interface Register {
  /** Undefined where the token is lower than one that was seen. */
  read(token: number): Promise<number | undefined>;
  /** False where the token is lower than one that was seen. */
  write(value: number, token: number): Promise<boolean>;
  close(): void;
}

const VALUE = 'register';
const LAST_TOKEN = 'register:token';

/** Notes the highest token, and refuses whoever comes with a lower one. */
const CHECK = `
local last = tonumber(redis.call('get', KEYS[2]) or '0')
if tonumber(ARGV[1]) < last then return false end
redis.call('set', KEYS[2], ARGV[1])`;

const READ = `${CHECK}
return redis.call('get', KEYS[1]) or '0'`;

const WRITE = `${CHECK}
redis.call('set', KEYS[1], ARGV[2])
return 'OK'`;

/**
 * Opens the register on a Redis.
 *
 * @param isChecked whether it looks at tokens, at each read as at each write: a reader with a higher token has seen
 *   what a slow writer with a lower one would change after it
 */
export async function openRegister(port: number, isChecked: boolean): Promise<Register> {
  const client = createClient({ socket: { host: '127.0.0.1', port }, RESP: 2 });
  client.on('error', () => undefined);
  await client.connect();
  const close = (): void => {
    client.destroy();
  };
  if (!isChecked) {
    return {
      close,
      read: async () => Number(await client.get(VALUE)),
      write: async (value) => (await client.set(VALUE, String(value))) === 'OK',
    };
  }
  const run = (script: string, token: number, ...more: string[]) =>
    client.eval(script, { keys: [VALUE, LAST_TOKEN], arguments: [String(token), ...more] });
  return {
    close,
    read: async (token) => {
      const value = await run(READ, token);
      return value === null ? undefined : Number(value);
    },
    write: async (value, token) => (await run(WRITE, token, String(value))) === 'OK',
  };
}
