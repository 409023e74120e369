import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { createFolder } from './component-files';

const TLS = path.join(__dirname, '../fixtures/tls');

/** How many changes the server remembers; a watch from before them gets 410 Gone. */
const REMEMBERED = 20;

/** The plural of a kind that the server knows. */
export type Plural = 'components' | 'configurations' | 'resiliencies' | 'secrets';

const KINDS: Readonly<Record<Plural, string>> = {
  components: 'Component',
  configurations: 'Configuration',
  resiliencies: 'Resiliency',
  secrets: 'Secret',
};

interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
  };
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: Plural;
  readonly object: StoredObject;
}

interface Watch {
  readonly plural: Plural;
  readonly name: string | undefined;
  readonly response: ServerResponse;
}

interface Asked {
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly verb: KubeRequest['verb'];
  readonly named: string | undefined;
  readonly query: URLSearchParams;
}

/** A request that the server has received. */
export interface KubeRequest {
  readonly plural: string;
  readonly verb: 'get' | 'list' | 'watch';
  readonly query: URLSearchParams;
  readonly status: number;
}

/**
 * An API server of the tests' own. It speaks TLS and the parts of the API that a pod's client needs:
 * bearer tokens, get, list, watch from a resource version, field selectors of a name, bookmarks,
 * 401, 403, 404 and 410 Gone. Its answers follow the API's documentation.
 */
export class KubeApi {
  readonly namespace = 'prod';
  /** The folder of a service account: its token, its CA and its namespace. */
  readonly accountFolder: string;
  readonly requests: KubeRequest[] = [];
  /** The verbs that the account is not allowed, as `list components`. */
  readonly forbidden = new Set<string>();
  /** Kinds that are not installed. */
  readonly unknown = new Set<string>();
  /** A status that answers every request instead. */
  failWith: number | undefined;
  /** True if lists are computed, but their answers kept back in `heldLists`. */
  holdsLists = false;
  /** Each sends the answer of a list that was kept back, by order of arrival. */
  readonly heldLists: (() => void)[] = [];
  #token = 'first-token';
  #version = 100;
  readonly #objects = new Map<string, StoredObject>();
  #changes: Change[] = [];
  readonly #watches = new Set<Watch>();
  readonly #server: Server;

  private constructor(accountFolder: string) {
    this.accountFolder = accountFolder;
    const [key, cert] = ['server.key', 'server.crt'].map((name) =>
      readFileSync(path.join(TLS, name)),
    );
    this.#server = createServer({ key, cert }, (request, response) => {
      this.#answer(request, response);
    });
  }

  /** Starts a server on a free port, or on the port of another that was stopped. */
  static async start(port = 0): Promise<KubeApi> {
    const api = new KubeApi(await createFolder());
    const write = (name: string, text: string) =>
      writeFile(path.join(api.accountFolder, name), text);
    await write('ca.crt', readFileSync(path.join(TLS, 'server.crt'), 'utf8'));
    await write('namespace', api.namespace);
    await write('token', `${api.#token}\n`);
    await new Promise<void>((resolve) => api.#server.listen(port, '127.0.0.1', resolve));
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The environment of a pod's container. */
  get environment(): Readonly<Record<string, string>> {
    return {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.port),
      HOLDFAST_SERVICE_ACCOUNT_FOLDER: this.accountFolder,
    };
  }

  /** The number of open watches. */
  get watches(): number {
    return this.#watches.size;
  }

  /** How many requests of a verb there were. */
  count(verb: KubeRequest['verb'], plural: Plural): number {
    return this.requests.filter((made) => made.verb === verb && made.plural === plural).length;
  }

  /** Creates or replaces an object. */
  put(plural: Plural, name: string, rest: object): void {
    const known = this.#objects.has(`${plural}/${name}`);
    this.#version += 1;
    const object = {
      apiVersion: plural === 'secrets' ? 'v1' : 'dapr.io/v1alpha1',
      kind: KINDS[plural],
      ...rest,
      metadata: { name, namespace: this.namespace, resourceVersion: String(this.#version) },
    };
    this.#objects.set(`${plural}/${name}`, object);
    this.#change({ type: known ? 'MODIFIED' : 'ADDED', plural, object });
  }

  /** Deletes an object. */
  delete(plural: Plural, name: string): void {
    const object = this.#objects.get(`${plural}/${name}`)!;
    this.#objects.delete(`${plural}/${name}`);
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#change({ type: 'DELETED', plural, object: { ...object, metadata } });
  }

  /** Sends every watch a bookmark. */
  bookmark(): void {
    for (const { plural, response } of this.#watches) {
      const metadata = { resourceVersion: String(this.#version) };
      const object = { apiVersion: 'dapr.io/v1alpha1', kind: KINDS[plural], metadata };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  /** Ends every watch, as when its time is over. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Ends every watch with an error event, as when the server compacts. */
  expireWatches(): void {
    for (const watch of this.#watches) {
      this.#watches.delete(watch);
      const object = toStatus(410, `too old resource version: 1 (${this.#version})`);
      watch.response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
  }

  /** Forgets all changes: a watch from an older version gets 410 Gone. */
  compact(): void {
    this.#changes = [];
    this.#version += REMEMBERED;
  }

  /** Breaks the connections of all watches. */
  breakWatches(): void {
    for (const { response } of this.#watches) response.destroy();
  }

  /** Replaces the token, and what is mounted of it. The old one is no longer taken. */
  async rotateToken(token: string): Promise<void> {
    this.#token = token;
    await writeFile(path.join(this.accountFolder, 'token'), token);
  }

  async stop(): Promise<void> {
    this.breakWatches();
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Listens again on the port that it had. */
  async resume(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  #change(change: Change): void {
    this.#changes = [...this.#changes, change].slice(-REMEMBERED);
    for (const watch of this.#watches) send(watch, change);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, 'https://localhost');
    const match = /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname);
    const [, namespace, plural = '', named] = match ?? [];
    const query = url.searchParams;
    const verb = query.get('watch') === 'true' ? 'watch' : named === undefined ? 'list' : 'get';
    const reason = this.#reasonAgainst(request, { namespace, plural, verb, named, query });
    const status = reason?.status ?? 200;
    this.requests.push({ plural, verb, query, status });
    response.writeHead(status, { 'content-type': 'application/json' });
    if (reason !== undefined) response.end(JSON.stringify(toStatus(status, reason.message)));
    else if (verb === 'watch') this.#watch(plural as Plural, query, response);
    else if (verb === 'get') response.end(JSON.stringify(this.#objects.get(`${plural}/${named!}`)));
    else this.#answerList(JSON.stringify(this.#list(plural as Plural, query)), response);
  }

  #answerList(text: string, response: ServerResponse): void {
    if (this.holdsLists) this.heldLists.push(() => response.end(text));
    else response.end(text);
  }

  #reasonAgainst(
    { headers }: IncomingMessage,
    { namespace, plural, verb, named, query }: Asked,
  ): { readonly status: number; readonly message: string } | undefined {
    if (this.failWith !== undefined) return { status: this.failWith, message: 'the server is ill' };
    if (headers.authorization !== `Bearer ${this.#token}`) {
      return { status: 401, message: 'Unauthorized' };
    }
    if (namespace !== this.namespace || this.forbidden.has(`${verb} ${plural}`)) {
      const user = 'User "system:serviceaccount:prod:orders"';
      const message = `${plural} is forbidden: ${user} cannot ${verb} resource "${plural}"`;
      return { status: 403, message };
    }
    if (!Object.hasOwn(KINDS, plural) || this.unknown.has(plural)) {
      return { status: 404, message: 'the server could not find the requested resource' };
    }
    if (verb === 'get' && !this.#objects.has(`${plural}/${named!}`)) {
      return { status: 404, message: `${plural} "${named!}" not found` };
    }
    const [since, oldest] = [
      Number(query.get('resourceVersion')),
      this.#version - this.#changes.length,
    ];
    if (verb !== 'watch' || since >= oldest) return undefined;
    return { status: 410, message: `too old resource version: ${since} (${oldest})` };
  }

  #list(plural: Plural, query: URLSearchParams): object {
    const name = toName(query);
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(`${plural}/`))
      .map(([, object]) => object)
      .filter(({ metadata }) => name === undefined || metadata.name === name);
    const metadata = { resourceVersion: String(this.#version) };
    return { apiVersion: 'dapr.io/v1alpha1', kind: `${KINDS[plural]}List`, metadata, items };
  }

  #watch(plural: Plural, query: URLSearchParams, response: ServerResponse): void {
    const since = Number(query.get('resourceVersion'));
    response.flushHeaders();
    const watch = { plural, name: toName(query), response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    const missed = this.#changes.filter(
      ({ object }) => Number(object.metadata.resourceVersion) > since,
    );
    for (const change of missed) send(watch, change);
  }
}

function send({ plural, name, response }: Watch, { type, object, ...change }: Change): void {
  if (change.plural !== plural) return;
  if (name !== undefined && object.metadata.name !== name) return;
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function toName(query: URLSearchParams): string | undefined {
  return /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
}

function toStatus(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code };
}
