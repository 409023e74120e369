import { answerCommands } from './child-program';
import { Probe, type ProbeTarget } from './probe';

/** The process of the {@link Probe}, asked over IPC. */
let probe: Probe | undefined;

answerCommands({
  start: async ({ target }: { readonly target: ProbeTarget }) => {
    probe = new Probe(target);
    await probe.start();
  },
  reset: async () => {
    probe!.reset();
  },
  warmUp: async ({ forMs }: { readonly forMs: number }) => {
    await probe!.warmUp(forMs);
  },
  result: async () => probe!.finish(),
});
