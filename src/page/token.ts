const KEY = 'holdfast-api-token';

/**
 * The API token of this tab: in its sessionStorage, so that it survives a reload and ends with the
 * tab. In memory only where the browser has no storage.
 */
export class TabToken {
  #token = '';

  constructor() {
    this.#token = withStorage((storage) => storage.getItem(KEY)) ?? '';
  }

  /** Empty for none. */
  get text(): string {
    return this.#token;
  }

  set text(token: string) {
    this.#token = token;
    withStorage((storage) => {
      if (token === '') storage.removeItem(KEY);
      else storage.setItem(KEY, token);
    });
  }
}

/** A browser that blocks storage throws where it is used. */
function withStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(window.sessionStorage);
  } catch {
    return undefined;
  }
}
