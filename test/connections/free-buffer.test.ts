import { freeBuffer } from '../../src/connections/free-buffer';
import { eventually } from '../support/eventually';

describe('a buffer that is freed', () => {
  it('is empty where it is long, with all that was cut out of it', () => {
    const buffer = Buffer.allocUnsafe(4 * 2 ** 20);
    const part = buffer.subarray(10, 20);
    freeBuffer(buffer);
    expect([buffer.length, part.length]).toEqual([0, 0]);
  });

  it('stays where it is short, as others may share its memory', () => {
    const short = Buffer.from('short');
    const neighbour = Buffer.from('neighbour');
    freeBuffer(short);
    freeBuffer(Buffer.alloc(0));
    expect([short.toString(), neighbour.toString()]).toEqual(['short', 'neighbour']);
  });

  it('may be freed twice', () => {
    const buffer = Buffer.allocUnsafe(2 ** 20);
    freeBuffer(buffer);
    freeBuffer(buffer);
    expect(buffer).toHaveLength(0);
  });

  it('gives its memory back without a collection', async () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let turn = 0; turn < 12; turn += 1) freeBuffer(Buffer.alloc(4 * 2 ** 20, 1));
    await eventually(() => {
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
    });
  });
});
