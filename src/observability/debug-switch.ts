import type { ProcessLogger } from './logger';

/**
 * Creates a function that turns debug lines on and off in a running sidecar. Off means the level at
 * start, or info if that was debug. The line about the change is visible at both levels.
 */
export function createDebugSwitch(logger: ProcessLogger): () => void {
  const quiet = logger.level === 'debug' ? 'info' : logger.level;
  return () => {
    const next = logger.level === 'debug' ? quiet : 'debug';
    const sentence = `Log level set to: ${next}`;
    if (next === 'debug') logger.level = next;
    logger.info(sentence);
    logger.level = next;
  };
}
