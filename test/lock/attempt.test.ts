import { createAttempt } from '../../src/lock/attempt';

describe('an attempt', () => {
  it('has an id of 32 hexadecimal digits that no other has', () => {
    const ids = Array.from({ length: 1000 }, () => createAttempt().id);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
