import type { StoreName } from './lock-servers';
import type { CommandLine } from './process-group';
import type { CommandOutput } from './run-command';
import type { ApiError } from './script';

/** Runs a command to its end, unless the run is stopped before. */
export type RunCommand = (command: CommandLine) => Promise<CommandOutput>;

/** What a program is tried on. */
export interface TrialSite {
  /** The store of its sidecars. */
  readonly store: StoreName;
  /** Stops the run. */
  readonly signal: AbortSignal;
}

/** A program that is tried: where it is, and how it is built at one version. */
export interface InteropProgram {
  /** As the table shows it. */
  readonly name: string;
  /** As `versions.json` pins it; of a tool that the system brings, what it calls itself. */
  readonly version: string;
  /** Where the program is, below `test/interop`. */
  readonly folder: string;
  /** Distinguishes its build from others of the same folder and version, if each has one of its own. */
  readonly build?: string;
  /** A command that says whether the toolchain is there. */
  readonly toolchain: CommandLine;
  /** True where the toolchain may be missing even in continuous integration. */
  readonly mayBeMissing?: boolean;
  /**
   * Brings the client in and builds the program in `buildFolder`, which is kept from one run to the
   * next. Rejects with the reason where something can't be had.
   */
  prepare(buildFolder: string, runCommand: RunCommand): Promise<CommandLine>;
}

/** An official client of Dapr, or a tool that people use in its place, at one version. */
export interface InteropClient extends InteropProgram {
  /** Selects what the program does, if one program is run for several clients. */
  readonly way?: Readonly<Record<string, string>>;
  /** The texts that the client's message for an error of the API must contain. */
  shows(error: ApiError): readonly string[];
  /** Errors that the client finds by itself, by step, and what it says then. */
  readonly ownErrors?: Readonly<Record<string, readonly string[]>>;
  /** The same for a wrong token. Default: that of any error. */
  readonly showsWrongToken?: readonly string[];
  /** Answers of its readiness, health, metadata and shutdown calls, in the program's order. */
  readonly sidecarSteps: Readonly<Record<string, string>>;
  /** True where the client has a way to release a lock at the end of a block. */
  readonly hasScope?: boolean;
  /** True where the program also calls the native API, about a lock that it takes by its SDK. */
  readonly callsNativeApi?: boolean;
  /** True where the lines of the page are a script that tells by its exit code what it did. */
  readonly hasExitCodes?: boolean;
  /** Environment that sends the program to a unix socket, for a client that can go there. */
  unixEnvironment?(sockets: {
    readonly grpc: string;
    readonly http: string;
  }): Readonly<Record<string, string>>;
}
