import { Tally } from './tally';

const RULE = 'order: grants beside a ticket of another waiter';

describe('the tally of what is excused', () => {
  const withExcused = (excused: number, judged: number): Tally => {
    const tally = new Tally();
    for (let count = 0; count < judged; count += 1) tally.count(RULE, count < excused);
    return tally;
  };

  it('counts what was judged, and of it what was excused', () => {
    expect(withExcused(3, 10).of(RULE)).toEqual({ judged: 10, excused: 3 });
  });

  it('says of which rule a run that excuses too much is no proof', () => {
    expect(withExcused(50, 100).unproven).toEqual([]);
    expect(withExcused(90, 100).unproven).toEqual([RULE]);
  });
});
