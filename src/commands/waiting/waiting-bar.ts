import { Format, MultiBar } from 'cli-progress';

/** A bar that is drawn again and again. */
export interface WaitingBar {
  /** Takes it off the terminal. */
  close(): void;
}

/** The values that a bar shows. */
export interface WaitingBarOptions {
  readonly stream: NodeJS.WritableStream;
  /** How much of the bar is full: 0 to 1. */
  readonly share: () => number;
  readonly text: () => string;
}

const REDRAWS_A_SECOND = 4;
const BAR_SIZE = 20;

/**
 * Draws a bar with a text on a terminal. Loaded when it is used: few commands wait, and fewer on a terminal. It uses
 * cli-progress (MIT): CommonJS, 25 kB with what it needs, and all of the line is ours to format.
 */
export function openWaitingBar({ stream, share, text }: WaitingBarOptions): WaitingBar {
  const bars = new MultiBar({
    stream,
    fps: REDRAWS_A_SECOND,
    barsize: BAR_SIZE,
    barCompleteChar: '=',
    barIncompleteChar: '-',
    clearOnComplete: true,
    linewrap: true,
    format: (options) => `[${Format.BarFormat(share(), options)}] ${text()}`,
  });
  bars.create(1, 0);
  return {
    close: () => {
      bars.stop();
    },
  };
}
