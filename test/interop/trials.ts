import type { InteropProgram, TrialSite } from './client';
import { ClientRun } from './client-run';
import { CLIENTS } from './clients';
import { dotnetService } from './dotnet/client';
import { NativeRun } from './native/native-run';
import { NATIVE_PROGRAMS } from './native/programs';
import { surface } from './native/surface/surface';
import { SurfaceRun } from './native/surface/surface-run';
import type { CommandLine } from './process-group';
import type { StepReport } from './steps';

/** A program, and what it is taken through. */
export interface Trial {
  readonly program: InteropProgram;
  /** Runs every scenario; rejects where the sidecars can't be had or the run is stopped by the signal. */
  run(command: CommandLine, site: TrialSite): Promise<StepReport>;
}

/** Everything that is tried, in the order of the table. */
export const TRIALS: readonly Trial[] = [
  ...CLIENTS.map((client): Trial => ({
    program: client,
    run: (program, site) => ClientRun.run({ client, program, ...site }),
  })),
  // What there is to see is that it compiles.
  { program: dotnetService, run: () => Promise.resolve({ steps: 1, failed: [] }) },
  ...NATIVE_PROGRAMS.map((program): Trial => ({
    program,
    run: (command, site) => NativeRun.run(command, site),
  })),
  { program: surface, run: (command, site) => SurfaceRun.run(command, site) },
];
