import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** An HTTP request as it is to go over the wire: the path is sent as it stands. */
export interface HttpCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** An HTTP response with its whole body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Makes one HTTP/1.1 request on a connection of its own to a port of the loopback interface. */
export function callHttp(port: number, call: HttpCall): Promise<HttpAnswer> {
  const { method = 'POST', path, body = '', headers = {} } = call;
  const sized = body !== '' && !('transfer-encoding' in headers);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...(sized ? { 'content-length': Buffer.byteLength(body) } : {}), ...headers },
        agent: new Agent({ keepAlive: false }),
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ status, headers: received, body: Buffer.concat(parts).toString() });
        });
      },
    );
    outgoing.on('error', reject);
    if (body === '') outgoing.end();
    else outgoing.end(body);
  });
}

/** A request that is answered as JSON. */
export async function postJson(port: number, path: string, body: unknown): Promise<unknown> {
  const answer = await callHttp(port, { path, body: JSON.stringify(body) });
  return JSON.parse(answer.body);
}

/** Takes a lock for a minute, as owner `o`. Resolves with the JSON of the answer. */
export function lockOverHttp(
  port: number,
  resourceId: string,
  storeName = 'lockstore',
): Promise<unknown> {
  const call = { resourceId, lockOwner: 'o', expiryInSeconds: 60 };
  return postJson(port, `/v1.0-alpha1/lock/${storeName}`, call);
}
