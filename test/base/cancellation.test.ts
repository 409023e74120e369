import { Cancellation } from '../../src/base/cancellation';

describe('Cancellation', () => {
  it('tells its listeners once, with the reason at hand', () => {
    const cancellation = new Cancellation();
    const reasons: unknown[] = [];
    cancellation.addEventListener('abort', () => reasons.push(cancellation.reason));
    cancellation.abort('first');
    cancellation.abort('second');
    expect(reasons).toEqual(['first']);
    expect(cancellation.aborted).toBe(true);
  });

  it('forgets a listener that was taken away, and no other', () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    const leaving = () => told.push('leaving');
    cancellation.addEventListener('abort', leaving);
    cancellation.addEventListener('abort', () => told.push('staying'));
    cancellation.removeEventListener('abort', leaving);
    cancellation.abort();
    expect(told).toEqual(['staying']);
  });

  it('lets a listener take others away while it is told, as an AbortSignal does not tell twice', () => {
    const cancellation = new Cancellation();
    let told = 0;
    const listener = () => {
      told += 1;
      cancellation.removeEventListener('abort', listener);
      cancellation.abort();
    };
    cancellation.addEventListener('abort', listener);
    cancellation.abort();
    expect(told).toBe(1);
  });

  it('does not tell one that comes too late', () => {
    const cancellation = new Cancellation();
    cancellation.abort();
    let told = false;
    cancellation.addEventListener('abort', () => (told = true));
    expect(told).toBe(false);
  });
});
