import { toSocketFile } from '../servers/listen';
import type { AppOptions } from './app-options';

/** The addresses of both APIs. */
interface Places {
  readonly http: string;
  readonly grpc: string;
  /** The curl options for the HTTP API, and the start of its URLs. */
  readonly curl: string;
  readonly base: string;
}

/**
 * A text for somebody who starts a sidecar by hand: its addresses, and a curl line to try.
 *
 * @param storeName undefined if no store is loaded; then there is no curl line
 */
export function toStartupHint(options: AppOptions, storeName: string | undefined): string {
  const { http, grpc, curl, base } = toPlaces(options);
  const page = toPageHint(options, base);
  const addresses = `Holdfast listens on ${http} (HTTP) and ${grpc} (gRPC).${page}`;
  if (storeName === undefined) return `\n${addresses} No lock store is loaded.\n\n`;
  const token = options.apiToken === undefined ? '' : ' -H "dapr-api-token: $DAPR_API_TOKEN"';
  return `
${addresses} Take a lock:

${curl} -X POST ${base}/v1.0-alpha1/lock/${encodeURIComponent(storeName)} -H 'Content-Type: application/json'${token} -d '{"resourceId":"my_file_name","lockOwner":"random_id_abc123","expiryInSeconds":60}'

`;
}

/** Where the page is. Browsers open no unix sockets. */
function toPageHint({ servesPage, unixSocketFolder }: AppOptions, base: string): string {
  return servesPage && unixSocketFolder === undefined ? ` See all locks: ${base}/holdfast/` : '';
}

function toPlaces(options: AppOptions): Places {
  const { unixSocketFolder: folder, appId, tlsFiles, listenAddresses } = options;
  const curl = tlsFiles === undefined ? 'curl' : 'curl -k';
  const scheme = tlsFiles === undefined ? 'http' : 'https';
  if (folder !== undefined) {
    const [http, grpc] = [toSocketFile(folder, appId, 'HTTP'), toSocketFile(folder, appId, 'gRPC')];
    return {
      http,
      grpc,
      curl: `${curl} --unix-socket ${quote(http)}`,
      base: `${scheme}://localhost`,
    };
  }
  const [host = 'localhost'] = listenAddresses;
  const at = host.includes(':') ? `[${host}]` : host;
  const base = `${scheme}://${at}:${options.httpPort}`;
  return { http: base, grpc: `${at}:${options.grpcPort}`, curl, base };
}

/** Quotes a text for a shell, if necessary. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
