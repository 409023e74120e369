import { BUGS } from './bugs';

describe('the zoo', () => {
  // Each animal is made of a script of the store by a change of one piece, which throws where it is gone.
  it('finds every piece of the scripts that it changes', () => {
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
    expect(BUGS.length).toBeGreaterThan(27);
  });
});
