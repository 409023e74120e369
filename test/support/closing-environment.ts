import { TestEnvironment } from 'jest-environment-node';

import { countOpen, findLeftOpen } from './left-open';

/** How long what a test file has closed may take to be closed; a stated allowance for a busy machine. */
const CLOSED_WITHIN_MS = 5000;

/**
 * Fails a test file that leaves something open. jest would wait for it at the end of all tests, in vain, say "A worker process has
 * failed to exit gracefully", and not say of which file it is.
 */
export default class ClosingEnvironment extends TestEnvironment {
  readonly #before = countOpen();

  override async teardown(): Promise<void> {
    await super.teardown();
    const left = await findLeftOpen(this.#before, { withinMs: CLOSED_WITHIN_MS });
    if (left.length === 0) return;
    throw new Error(`open after the last test: ${left.join(', ')} (jest --detectOpenHandles)`);
  }
}
