/** The Dapr release whose lock API is served. Launchers parse it from the output of `--version`. */
export const DAPR_VERSION = '1.18.3';

/** Holdfast's own version. A test compares it with package.json. */
export const HOLDFAST_VERSION = '0.2.0';
