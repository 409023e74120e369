import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8 gives its collector to contexts that are made while this flag is set. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects all garbage of this process, so that what is in use afterwards is alive. */
export function collectGarbage(): void {
  collect();
}
