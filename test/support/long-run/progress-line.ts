import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';

import { Format, MultiBar, type SingleBar } from 'cli-progress';

/** How far a run is. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  /** The name of the counted things, in the plural. */
  readonly unit: string;
  /** The present activity. Empty if there is nothing to add. */
  readonly note: string;
  /** Since the beginning of the count, in milliseconds. */
  readonly elapsedMs: number;
  /** The run stops after so long, even if not everything is done. */
  readonly longestMs: number;
}

/** The count that begins. */
export interface ProgressPlan {
  readonly total: number;
  readonly unit: string;
  readonly longestMs?: number;
}

/** Where progress is shown. */
export interface ProgressPlace {
  readonly stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
  readonly env: NodeJS.ProcessEnv;
  readonly isQuiet: boolean;
}

/** Between two lines in a pipe or a log, in milliseconds. */
export const LINE_EVERY_MS = 30_000;

const REDRAWS_A_SECOND = 4;
const BAR_SIZE = 24;
const MS_A_SECOND = 1000;

/**
 * Shows how far a run is: on a terminal as one line that is drawn again and again, elsewhere as a plain line every
 * {@link LINE_EVERY_MS}. It is drawn by cli-progress (MIT): of the libraries that draw bars it is the one that is
 * CommonJS and takes a formatter.
 */
export class ProgressLine {
  readonly #place: ProgressPlace;
  #plan: ProgressPlan = { total: 0, unit: '' };
  #done = 0;
  #note = '';
  #startedAtMs = 0;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(place: ProgressPlace) {
    this.#place = place;
  }

  /** Begins a count, after the one before. */
  begin(plan: ProgressPlan): void {
    this.end();
    this.#plan = plan;
    this.#done = 0;
    this.#note = '';
    this.#startedAtMs = performance.now();
    if (this.#place.isQuiet) return;
    if (this.#isTerminal) this.#beginBar();
    else
      this.#timer = setInterval(() => {
        this.#writeLine();
      }, LINE_EVERY_MS).unref();
  }

  /** Says how far the count is, and what is being done. */
  advance(done: number, note = ''): void {
    this.#done = done;
    this.#note = note;
    this.#bar?.update(done);
  }

  /** Writes something else while the line is out of the way. */
  aside(write: () => void): void {
    if (this.#bars !== undefined) {
      const { stream } = this.#place;
      cursorTo(stream, 0);
      clearLine(stream, 0);
    }
    write();
  }

  /** Ends the count and takes the line away. */
  end(): void {
    clearInterval(this.#timer);
    this.#bars?.stop();
    this.#timer = this.#bars = this.#bar = undefined;
  }

  get #isTerminal(): boolean {
    return this.#place.stream.isTTY === true && this.#place.env.TERM !== 'dumb';
  }

  get #state(): ProgressState {
    const { total, unit, longestMs = Infinity } = this.#plan;
    const elapsedMs = performance.now() - this.#startedAtMs;
    return { done: this.#done, total, unit, note: this.#note, elapsedMs, longestMs };
  }

  #beginBar(): void {
    this.#bars = new MultiBar({
      stream: this.#place.stream,
      fps: REDRAWS_A_SECOND,
      barsize: BAR_SIZE,
      barCompleteChar: '=',
      barIncompleteChar: '-',
      clearOnComplete: true,
      linewrap: true,
      // Others write to the terminal as well, and the line has to come back.
      forceRedraw: true,
      format: (options, { progress }) =>
        `[${Format.BarFormat(progress, options)}] ${toProgressText(this.#state)}`,
    });
    this.#bar = this.#bars.create(this.#plan.total, 0);
  }

  #writeLine(): void {
    this.#place.stream.write(`${toProgressText(this.#state)}\n`);
  }
}

/** How far a run is, in words: `200 of 1,000 operations, 50 a second, 16 s left`. */
export function toProgressText(state: ProgressState): string {
  const { done, total, unit, note, elapsedMs } = state;
  const rate = elapsedMs === 0 ? 0 : (done * MS_A_SECOND) / elapsedMs;
  const parts = [`${toNumber(done)} of ${toNumber(total)} ${unit}`];
  if (rate >= 1) parts.push(`${toNumber(Math.round(rate))} a second`);
  else if (rate > 0) parts.push(`${toTime(MS_A_SECOND / rate)} each`);
  const leftMs = toLeft(state);
  if (Number.isFinite(leftMs)) parts.push(`${toTime(leftMs)} left`);
  return parts.join(', ') + (note === '' ? '' : `: ${note}`);
}

/** At the rate so far, and no longer than the run may take. */
function toLeft({ done, total, elapsedMs, longestMs }: ProgressState): number {
  const atThisRate = done === 0 ? Infinity : (elapsedMs * (total - done)) / done;
  return Math.max(0, Math.min(atThisRate, longestMs - elapsedMs));
}

function toNumber(number: number): string {
  return number.toLocaleString('en-US');
}

/** `9 s`, `4 min 5 s`, `2 h 3 min`. */
function toTime(ms: number): string {
  const seconds = Math.round(ms / MS_A_SECOND);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
