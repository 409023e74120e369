/** A tool that tests need, and how they get it. */
export interface NeededTool {
  /** Its path. Undefined if it is not installed. */
  readonly path: string | undefined;
  /** True if tests without it must fail, as in continuous integration. */
  readonly isRequired: boolean;
  /** Why tests are left out, for their names. */
  readonly missing: string;
}

/**
 * Declares tests that need a tool. On a machine without it they are left out, and their names say why, unless the tool
 * is required.
 */
export function testsOf({ path, isRequired, missing }: NeededTool): {
  readonly held: jest.It;
  readonly note: string;
} {
  if (path !== undefined || isRequired) return { held: it, note: '' };
  return { held: it.skip, note: ` (left out: ${missing})` };
}
