/**
 * Problems of files that are read repeatedly. A problem is logged when it appears, not at every
 * reading, and again if it was gone in between.
 */
export class ReportedProblems {
  #last: readonly string[] = [];

  /** Takes the problems of a reading, and logs those that the reading before did not have. */
  report(sentences: readonly string[], write: (sentence: string) => void): void {
    const known = this.#last;
    this.#last = sentences;
    for (const sentence of sentences) if (!known.includes(sentence)) write(sentence);
  }
}
