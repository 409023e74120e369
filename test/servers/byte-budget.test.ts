import { ByteBudget } from '../../src/servers/byte-budget';

describe('ByteBudget', () => {
  it('gives no more than there is, and what was given back again', () => {
    const budget = new ByteBudget(10);
    expect([budget.take(6), budget.take(5), budget.take(4), budget.take(1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    budget.give(6);
    expect([budget.take(7), budget.take(6)]).toEqual([false, true]);
  });

  it('has no end where it is infinite', () => {
    const budget = new ByteBudget(Infinity);
    expect(budget.take(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(budget.take(1)).toBe(true);
  });
});
