/**
 * What is wrong with files that are read again and again: said when it goes wrong, not at every
 * reading, and again where it was right in between.
 */
export class ReportedProblems {
  #last: readonly string[] = [];

  /** Takes what a reading has found, and writes what the one before it had not. */
  report(sentences: readonly string[], write: (sentence: string) => void): void {
    const known = this.#last;
    this.#last = sentences;
    for (const sentence of sentences) if (!known.includes(sentence)) write(sentence);
  }
}
