import { useEffect, useState } from 'preact/hooks';

/** How often bars and ages move, in milliseconds; less often for those who asked for little motion. */
const TICK_MS = 250;
const CALM_TICK_MS = 1000;

/** The clock of the page (`performance.now()`). It stands still while the page is hidden. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(performance.now());
  useEffect(() => {
    const isCalm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => {
        if (!document.hidden) setNowMs(performance.now());
      },
      isCalm ? CALM_TICK_MS : TICK_MS,
    );
    return () => {
      clearInterval(timer);
    };
  }, []);
  return nowMs;
}
