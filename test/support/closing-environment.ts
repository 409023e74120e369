import { TestEnvironment } from 'jest-environment-node';

import { countOpen, findLeftOpen } from './left-open';

/** How long what a test file has closed may take to be closed; a stated allowance for a busy machine. */
const CLOSED_WITHIN_MS = 5000;

/**
 * Names on standard error each test file that leaves something open. jest waits for it at the end of all tests, in vain, says
 * "A worker process has failed to exit gracefully", and does not say of which file it is.
 */
export default class ClosingEnvironment extends TestEnvironment {
  readonly #before = countOpen();
  readonly #file: string;

  constructor(...options: ConstructorParameters<typeof TestEnvironment>) {
    super(...options);
    this.#file = options[1].testPath;
  }

  override async teardown(): Promise<void> {
    await super.teardown();
    const left = await findLeftOpen(this.#before, { withinMs: CLOSED_WITHIN_MS });
    if (left.length === 0) return;
    process.stderr.write(`${this.#file} leaves open: ${left.join(', ')}\n`);
  }
}
