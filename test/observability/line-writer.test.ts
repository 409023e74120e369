import { Writable } from 'node:stream';

import { createBoundedWriter, MOST_WAITING_BYTES } from '../../src/observability/line-writer';

/** A reader that takes nothing until it is told to. */
class PausedReader extends Writable {
  readonly taken: string[] = [];
  #isPaused = true;
  #next: (() => void) | undefined;

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(line.toString());
    if (this.#isPaused) this.#next = done;
    else done();
  }

  goOn(): void {
    this.#isPaused = false;
    this.#next?.();
  }
}

const LINE = `${'x'.repeat(199)}\n`;

describe('log lines that nobody reads', () => {
  const reader = () => {
    const stream = new PausedReader();
    const told: number[] = [];
    const write = createBoundedWriter(stream, (dropped) => {
      told.push(dropped);
      write(`${dropped} dropped\n`);
    });
    return { stream, told, write };
  };

  it('wait up to the bound, and are dropped beyond it', () => {
    const { stream, told, write } = reader();
    for (let line = 0; line < 100_000; line += 1) write(LINE);
    expect(stream.writableLength).toBeLessThanOrEqual(MOST_WAITING_BYTES);
    expect(stream.writableLength).toBeGreaterThan(MOST_WAITING_BYTES - 1000);
    expect(told).toEqual([]);
  });

  it('are counted, and the count is told once they are read', async () => {
    const { stream, told, write } = reader();
    const kept = Math.floor(MOST_WAITING_BYTES / LINE.length);
    for (let line = 0; line < kept + 7; line += 1) write(LINE);
    const drained = new Promise((resolve) => stream.once('drain', resolve));
    stream.goOn();
    await drained;
    write('later\n');
    expect(told).toEqual([7]);
    expect(stream.taken.slice(kept)).toEqual(['7 dropped\n', 'later\n']);
  });

  it('are all written where somebody reads', () => {
    const { stream, told, write } = reader();
    stream.goOn();
    for (let line = 0; line < 20_000; line += 1) write(LINE);
    expect(stream.taken).toHaveLength(20_000);
    expect(told).toEqual([]);
  });
});
