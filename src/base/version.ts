/** The Dapr release whose lock API is served; launchers parse it from `--version`. */
export const DAPR_VERSION = '1.18.3';

/** Holdfast's own version; a test holds it against package.json. */
export const HOLDFAST_VERSION = '0.2.0';
