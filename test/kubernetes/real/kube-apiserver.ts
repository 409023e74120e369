import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';

import { createFolder } from '../../support/component-files';
import { type EtcdCluster, startEtcd } from '../../support/etcd-server';
import { eventually } from '../../support/eventually';
import { findFreePort } from '../../support/free-port';

const TLS = path.join(__dirname, '../../fixtures/tls');
const ADMIN = 'the-token-of-the-admin';

/** How long a server may take to start on a busy machine. */
const READY = { withinMs: 120_000 };

/** The namespace of the tests. */
export const NAMESPACE = 'prod';

const { findKubeApiserver } = jest.requireActual<{
  readonly findKubeApiserver: (env: NodeJS.ProcessEnv) => string | undefined;
}>('../../../scripts/ensure-kube-apiserver.js');

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A real API server on an etcd of its own, with RBAC, and without controllers. */
export class KubeApiserver {
  readonly port: number;
  readonly #etcd: EtcdCluster;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(etcd: EtcdCluster, folder: string, port: number) {
    this.#etcd = etcd;
    this.#folder = folder;
    this.port = port;
  }

  static async start(): Promise<KubeApiserver> {
    const folder = await createFolder();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(path.join(folder, 'accounts.key'), pem);
    await writeFile(path.join(folder, 'tokens.csv'), `${ADMIN},admin,admin,system:masters\n`);
    const server = new KubeApiserver(await startEtcd(), folder, await findFreePort());
    await server.launch();
    return server;
  }

  /** Starts the process, and waits until it is ready. */
  async launch(): Promise<void> {
    const binary = findKubeApiserver(process.env);
    if (binary === undefined)
      throw new Error('no kube-apiserver: npm run test:kubernetes builds it');
    const inFolder = (name: string) => path.join(this.#folder, name);
    const child = spawn(
      binary,
      [
        `--etcd-servers=http://${this.#etcd.endpoints}`,
        `--bind-address=127.0.0.1`,
        `--secure-port=${this.port}`,
        `--cert-dir=${inFolder('certificates')}`,
        `--tls-cert-file=${path.join(TLS, 'server.crt')}`,
        `--tls-private-key-file=${path.join(TLS, 'server.key')}`,
        `--service-account-key-file=${inFolder('accounts.key')}`,
        `--service-account-signing-key-file=${inFolder('accounts.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--token-auth-file=${inFolder('tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    child.stderr.on('data', (data: Buffer) => {
      this.#output = (this.#output + data.toString()).slice(-4000);
    });
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`kube-apiserver ended: ${this.#output}`);
      expect((await this.send('GET', '/readyz')).status).toBe(200);
    }, READY);
  }

  /** Ends the process at once, as a crash does. What it stored stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.#etcd.stop();
  }

  /** Sends a request as the administrator of the cluster. */
  send(method: string, target: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...{ host: '127.0.0.1', port: this.port, method, path: target, agent: false },
          ca: readFileSync(path.join(TLS, 'server.crt')),
          headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
        },
        (response) => {
          let text = '';
          response.on('data', (part: Buffer) => (text += part.toString()));
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, body: toJson(text) });
          });
        },
      );
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Like {@link send}, and fails if the answer is an error. */
  async change(method: string, target: string, body?: object): Promise<unknown> {
    const { status, body: answer } = await this.send(method, target, body);
    if (status >= 300) throw new Error(`${method} ${target}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The environment of a container whose pod has a service account. */
  async environmentOf(account: string): Promise<Readonly<Record<string, string>>> {
    const target = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`;
    const spec = { expirationSeconds: 3600 };
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const { status } = (await this.change('POST', target, request)) as {
      status: { token: string };
    };
    const folder = await createFolder();
    const files = { token: status.token, namespace: NAMESPACE };
    for (const [name, text] of Object.entries(files))
      await writeFile(path.join(folder, name), text);
    await writeFile(path.join(folder, 'ca.crt'), readFileSync(path.join(TLS, 'server.crt')));
    return {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(this.port),
      HOLDFAST_SERVICE_ACCOUNT_FOLDER: folder,
    };
  }
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
