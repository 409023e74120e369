/**
 * Waits for a lock, does the work with it, and releases it. The signal aborts as soon as the lock may be lost; then
 * the call rejects, too. Pass the token along with each write.
 */
async function hold(locks, request, work) {
  const lost = new AbortController();
  const sentAt = performance.now(); // each validMs counts from the call
  const call = locks.Hold(request);
  let timer;
  const endAfter = (validMs, reason = 'its lease is over') => {
    clearTimeout(timer);
    const end = () => lost.abort(new Error(`the lock was lost: ${reason}`));
    timer = setTimeout(end, sentAt + validMs - performance.now());
  };
  try {
    const token = await new Promise((resolve, reject) => {
      call.on('data', (event) => {
        if (event.held) endAfter(event.held.lease.validMs);
        if (event.held) resolve(event.held.lease.fencingToken);
        if (event.renewed) endAfter(event.renewed.validMs);
        if (event.lost) endAfter(0, event.lost.reason);
        if (event.refused) reject(new Error('somebody else has the lock'));
      });
      call.on('error', reject); // after `held` the lease still lasts for as long as was said
    });
    const result = await work(token, lost.signal);
    lost.signal.throwIfAborted();
    return result;
  } finally {
    call.cancel(); // releases the lock
    clearTimeout(timer);
  }
}

module.exports = { hold };
