import { randomUUID } from 'node:crypto';

import { createPageApi, type PageApi, type PageFiles } from '../api/page-api';
import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { HOLDFAST_VERSION } from '../base/version';
import type { LockObserver } from '../lock/lock-observer';
import type { StoreCatalog } from '../lock/store-catalog';
import type { StoreObserver } from '../lock/store-observer';
import { SidecarView } from '../observability/sidecar-view';
import type { SidecarMetadata } from '../sidecar/metadata';
import type { AppOptions } from './app-options';
import { readPageFiles } from './page-files';

/** The parts of the sidecar that the page shows. */
export interface PageContext {
  readonly stores: StoreCatalog;
  readonly metadata: SidecarMetadata;
  readonly logger: Logger;
}

/** The page, and what observes calls and stores for it. */
export interface Page {
  /** Undefined if the page is not served. Then nothing is kept for it either. */
  readonly api: PageApi | undefined;
  readonly observers: readonly LockObserver[];
  /** Adds to an observer of a store's connection. */
  readonly watch: (store: string, observer: StoreObserver) => StoreObserver;
}

const NO_PAGE: Page = { api: undefined, observers: [], watch: (_store, observer) => observer };

/** Creates the page. A sidecar whose page was not built serves locks without it. */
export function createPage(
  { appId, servesPage }: Pick<AppOptions, 'appId' | 'servesPage'>,
  { stores, metadata, logger }: PageContext,
): Page {
  const files = servesPage ? readFiles(logger) : undefined;
  if (files === undefined) return NO_PAGE;
  const instance = randomUUID();
  const loaded = () => toLoaded(stores, metadata);
  const view = new SidecarView({ appId, version: HOLDFAST_VERSION, instance, loaded });
  return {
    api: createPageApi(files, () => view.view()),
    observers: [view],
    watch: (store, observer) => join(observer, view.storeObserver(store)),
  };
}

function readFiles(logger: Logger): PageFiles | undefined {
  try {
    return readPageFiles();
  } catch (error) {
    logger.warn(
      `The page is not served, because its files can't be read: ${toErrorMessage(error)}`,
    );
    return undefined;
  }
}

function toLoaded(stores: StoreCatalog, metadata: SidecarMetadata) {
  const types = new Map(metadata.view().components.map(({ name, type }) => [name, type]));
  return stores.names.map((name) => ({ name, type: types.get(name) ?? '' }));
}

function join(
  observer: StoreObserver,
  second: Pick<StoreObserver, 'up' | 'closed'>,
): StoreObserver {
  return {
    ...observer,
    up: (isUp) => {
      observer.up(isUp);
      second.up(isUp);
    },
    closed: () => {
      observer.closed();
      second.closed();
    },
  };
}
