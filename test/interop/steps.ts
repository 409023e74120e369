import type { ProgramResult } from './client-program';
import { type Expectation, isExpected } from './script';

/** A step that did not go as the script says. */
export interface FailedStep {
  readonly step: string;
  readonly expected: string;
  readonly answered: string;
}

/** A step that was not taken. */
export interface SkippedStep {
  readonly step: string;
  readonly reason: string;
}

/** The results of the steps of one program. */
export interface StepReport {
  readonly steps: number;
  readonly failed: readonly FailedStep[];
  /** Undefined if none was skipped. */
  readonly skipped?: readonly SkippedStep[];
  /** The measurements of the run, or a table of them, to be printed. */
  readonly remarks?: string;
}

/** Counts the steps of one program, and keeps those that failed. */
export class Steps {
  readonly #failed: FailedStep[] = [];
  readonly #skipped: SkippedStep[] = [];
  #count = 0;

  /** Their results so far. */
  get report(): StepReport {
    return { steps: this.#count, failed: this.#failed, skipped: this.#skipped };
  }

  /** Compares all answers of a scenario with what is expected, and looks how the program ended. */
  check(
    scenario: string,
    result: ProgramResult,
    expected: Readonly<Record<string, Expectation>>,
  ): void {
    for (const [step, expectation] of Object.entries(expected)) {
      this.expect(`${scenario}: ${step}`, result.answers.get(step), expectation);
    }
    if (result.problem === undefined) return;
    this.expect(`${scenario}: the program ends well`, result.problem, 'exit code 0');
  }

  /** Notes a step that can't be taken, and why. */
  skip(step: string, reason: string): void {
    this.#skipped.push({ step, reason });
  }

  /** Compares one answer with what is expected. */
  expect(step: string, answer: string | undefined, expectation: Expectation): void {
    this.#count += 1;
    if (isExpected(answer, expectation)) return;
    const expected = typeof expectation === 'string' ? expectation : expectation.join(' … ');
    this.#failed.push({ step, expected, answered: answer ?? 'nothing' });
  }
}
