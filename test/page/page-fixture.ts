import { rm } from 'node:fs/promises';

import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';

import { writeComponent } from '../support/component-files';
import { NativeHttpClient, type NativeMessage } from '../support/native-clients';
import { SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process';

const { findChromium } = jest.requireActual<{
  findChromium: (env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/ensure-chromium.js');

/** A test opens several pages, and restarts sidecars: more than others need, in milliseconds. */
jest.setTimeout(60_000);

/** How long a page may take for anything; a stated allowance for a busy machine, in milliseconds. */
const WITHIN_MS = 15_000;

/** Tells of everything that the policy of the page stopped. */
const NOTE_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('violation: ' + event.violatedDirective + ' ' + event.blockedURI);
});`;

/** A page in a browser, with what must not happen in it. */
export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings in its console, and scripts that failed. */
  readonly faults: string[];
  /** The URLs of all its requests. */
  readonly requests: string[];
}

/** A sidecar with its locks in memory, and a browser. */
export class PageFixture {
  readonly browser: Browser;
  /** The components of the sidecar. */
  readonly folder: string;
  sidecar: SidecarProcess;

  private constructor(browser: Browser, sidecar: SidecarProcess, folder: string) {
    this.browser = browser;
    this.sidecar = sidecar;
    this.folder = folder;
  }

  /** Starts both. */
  static async start(options: SidecarProcessOptions = {}): Promise<PageFixture> {
    const folder = await writeComponent({ type: 'lock.in-memory' });
    const [browser, sidecar] = await Promise.all([launch(), startSidecar(folder, options)]);
    return new PageFixture(browser, sidecar, folder);
  }

  /** Stops both. */
  async stop(): Promise<void> {
    await Promise.all([this.browser.close(), this.sidecar.stop('SIGKILL')]);
    await rm(this.folder, { recursive: true });
  }

  /** Starts another sidecar in the place of this one, on the same ports. */
  async restart(options: SidecarProcessOptions = {}): Promise<void> {
    const { httpPort, grpcPort, metricsPort } = this.sidecar;
    const ports = { httpPort, grpcPort, metricsPort };
    await this.sidecar.stop('SIGKILL');
    this.sidecar = await startSidecar(this.folder, { ...options, ports });
  }

  /** The origin of the sidecar. */
  get origin(): string {
    return `http://127.0.0.1:${this.sidecar.httpPort}`;
  }

  /** A client of the native API. */
  client(headers: Readonly<Record<string, string>> = {}): NativeHttpClient {
    return new NativeHttpClient({ host: '127.0.0.1', port: this.sidecar.httpPort }, headers);
  }

  /** Takes a lock for a minute. */
  async take(resourceId: string, message: NativeMessage = {}): Promise<number> {
    const request = { storeName: 'lockstore', resourceId, lockOwner: 'me', ttlMs: 60_000 };
    const { body } = await this.client().call('Acquire', { ...request, ...message });
    const { lease } = body as { lease?: { fencingToken: number } };
    if (lease === undefined) throw new Error(`the lock ${resourceId} was not granted`);
    return lease.fencingToken;
  }

  /** Takes so many locks for a minute, over connections that are kept. */
  async takeMany(count: number): Promise<void> {
    const url = `${this.origin}/holdfast/v1/locks/lockstore/acquire`;
    const headers = { 'content-type': 'application/json' };
    for (let from = 0; from < count; from += 50) {
      const names = Array.from(
        { length: Math.min(50, count - from) },
        (_, n) => `many-${from + n}`,
      );
      await Promise.all(
        names.map(async (resourceId) => {
          const body = JSON.stringify({ resourceId, lockOwner: 'me', ttlMs: 60_000 });
          await (await fetch(url, { method: 'POST', headers, body })).arrayBuffer();
        }),
      );
    }
  }

  /** Opens the page. */
  async open(options: BrowserContextOptions & { readonly at?: string } = {}): Promise<OpenPage> {
    const { at = `${this.origin}/holdfast/`, ...context } = options;
    const page = await (await this.browser.newContext(context)).newPage();
    page.setDefaultTimeout(WITHIN_MS);
    const opened: OpenPage = { page, faults: [], requests: [] };
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) opened.faults.push(message.text());
    });
    page.on('pageerror', (error) => opened.faults.push(String(error)));
    page.on('request', (request) => opened.requests.push(request.url()));
    await page.addInitScript(NOTE_VIOLATIONS);
    await page.goto(at);
    return opened;
  }
}

/** The button of a lock in the list. */
export function lockButton(page: Page, resource: string): Locator {
  return page.getByRole('button', { name: `Lock ${resource}`, exact: true });
}

/** The row of a lock in the list. */
export function lockRow(page: Page, resource: string): Locator {
  return page.getByRole('row').filter({ has: lockButton(page, resource) });
}

/** The resources in the list, as they are shown. */
export function listed(page: Page): Promise<readonly string[]> {
  return page.locator('table.locks tbody .link').allInnerTexts();
}

/** True if nothing is wider than the window. */
export async function fitsIn(page: Page, width: number): Promise<boolean> {
  return (await page.evaluate<number>('document.documentElement.scrollWidth')) <= width;
}

function startSidecar(folder: string, options: SidecarProcessOptions): Promise<SidecarProcess> {
  const args = ['--resources-path', folder, ...(options.args ?? [])];
  return SidecarProcess.start({ ...options, args });
}

function launch(): Promise<Browser> {
  const executablePath = findChromium(process.env);
  if (executablePath === undefined) throw new Error('run scripts/ensure-chromium.js first');
  // Chromium's sandbox does not work for root, and nothing foreign is opened here.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
