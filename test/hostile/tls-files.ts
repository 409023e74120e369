import path from 'node:path';

const FOLDER = path.join(__dirname, '../fixtures/tls');

/** The certificate that a sidecar with TLS shows, of `localhost`. */
export const TLS_CERTIFICATE = path.join(FOLDER, 'server.crt');

/** Its key. */
export const TLS_KEY = path.join(FOLDER, 'server.key');
