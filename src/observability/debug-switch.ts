import type { ProcessLogger } from './logger';

/**
 * Turns debug lines on in a running sidecar, and off again; returns what does it. Off is the level of
 * the start, or info where that is debug. What it says is seen at either level.
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
