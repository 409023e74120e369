import {
  Agent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';

import type { CallKind } from './history';
import {
  type CallAnswer,
  type HoldListener,
  type HoldRequest,
  type LockRequest,
  type Message,
  type OpenHold,
  toAnswer,
  toHoldEvent,
  toMessage,
} from './lock-request';

const NATIVE = '/holdfast/v1/locks/lockstore';

const PATHS: Readonly<Record<CallKind, string>> = {
  tryLock: '/v1.0-alpha1/lock/lockstore',
  unlock: '/v1.0-alpha1/unlock/lockstore',
  acquire: `${NATIVE}/acquire`,
  renew: `${NATIVE}/renew`,
  release: `${NATIVE}/release`,
  forceRelease: `${NATIVE}/force-release`,
  get: `${NATIVE}/lock`,
  list: NATIVE,
};

const HEADERS = { 'content-type': 'application/json' };

/** How long an idle connection is kept: less long than the sidecar does, which would end it under a request. */
const KEPT_FOR_MS = 1000;

/** Calls a sidecar over HTTP. */
export class HttpClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, timeout: KEPT_FOR_MS });

  constructor(port: number) {
    this.#port = port;
  }

  /** Never rejects. */
  call(request: LockRequest): Promise<CallAnswer> {
    const { kind, deadlineMs } = request;
    const message = toMessage(request);
    const isView = kind === 'get' || kind === 'list';
    const query = isView ? `?${new URLSearchParams(message as never).toString()}` : '';
    const body = isView ? '' : JSON.stringify(message);
    return new Promise((resolve) => {
      const options = { method: isView ? 'GET' : 'POST', path: PATHS[kind] + query };
      const call = this.#send(options, body, (response) => {
        read(response)
          .then((text) => {
            resolve(toCallAnswer(kind, response, text));
            clearTimeout(deadline);
          })
          .catch(fail);
      });
      const fail = ({ message: reason }: Error): void => {
        clearTimeout(deadline);
        resolve({ answer: 'unknown', reason });
      };
      const deadline = setTimeout(() => {
        call.destroy(new Error('the client hung up'));
      }, deadlineMs);
      call.on('error', fail);
    });
  }

  /** Opens a hold, on a connection of its own. */
  hold(request: HoldRequest, listener: HoldListener): OpenHold {
    const { owner: lockOwner, resourceId, ttlMs, waitMs } = request;
    const body = JSON.stringify({ resourceId, lockOwner, ttlMs, waitMs });
    let isOver = false;
    const end = (failure?: Parameters<HoldListener['ended']>[0]): void => {
      if (isOver) return;
      isOver = true;
      listener.ended(failure);
    };
    const broken = ({ message: reason }: Error): void => {
      end({ answer: 'unknown', reason });
    };
    const options = { method: 'POST', path: `${NATIVE}/hold`, agent: false } as const;
    const call = this.#send(options, body, (response) => {
      response.on('error', broken);
      if (response.statusCode === 200) readEvents(response, listener, end);
      else {
        read(response)
          .then((text) => {
            end(toFailure(text));
          })
          .catch(broken);
      }
    });
    call.on('error', broken);
    return {
      leave: () => {
        call.destroy();
        broken(new Error('left'));
      },
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(options: RequestOptions, body: string, onResponse: (response: IncomingMessage) => void) {
    const to = { host: '127.0.0.1', port: this.#port, agent: this.#agent, headers: HEADERS };
    const call = httpRequest({ ...to, ...options }, onResponse);
    call.end(body);
    return call;
  }
}

function readEvents(
  response: IncomingMessage,
  listener: HoldListener,
  end: HoldListener['ended'],
): void {
  let text = '';
  let failure: ReturnType<typeof toFailure> | undefined;
  response.on('data', (part: Buffer) => {
    const lines = (text + part.toString()).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      // In mid-stream an error is the last line, and the answer breaks off.
      if (line.includes('"errorCode"')) failure = toFailure(line);
      else listener.told(toHoldEvent(JSON.parse(line) as Parameters<typeof toHoldEvent>[0]));
    }
  });
  response.on('error', (error) => {
    end(failure ?? { answer: 'unknown', reason: error.message });
  });
  response.on('end', () => {
    end(failure);
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function toCallAnswer(kind: CallKind, response: IncomingMessage, text: string): CallAnswer {
  const { statusCode, headers } = response;
  if (kind === 'get' && statusCode === 404) return { answer: 'free' };
  if (statusCode !== 200) return toFailure(text);
  const body = JSON.parse(text) as Message;
  const token = headers['holdfast-fencing-token'];
  if (kind === 'get') return toAnswer(kind, { lock: body });
  return toAnswer(kind, token === undefined ? body : { ...body, fencingToken: Number(token) });
}

function toFailure(text: string) {
  const { errorCode = '', message = text } = JSON.parse(text) as Readonly<Record<string, string>>;
  const isUnknown =
    errorCode === 'ERR_LOCK_OUTCOME_UNKNOWN' || message.includes('outcome is unknown');
  return { answer: isUnknown ? 'unknown' : 'not-applied', reason: message } as const;
}
