import { toSocketFile } from '../servers/listen';
import type { AppOptions } from './app-options';

/** How the two APIs are reached. */
interface Places {
  readonly http: string;
  readonly grpc: string;
  /** What curl needs to get to the HTTP API: its options, and where URLs begin. */
  readonly curl: string;
  readonly base: string;
}

/**
 * Says to whoever starts a sidecar by hand where it listens, and gives one line to paste.
 *
 * @param storeName undefined where no store is loaded: then there is nothing to try
 */
export function toStartupHint(options: AppOptions, storeName: string | undefined): string {
  const { http, grpc, curl, base } = toPlaces(options);
  const addresses = `Holdfast listens on ${http} (HTTP) and ${grpc} (gRPC).`;
  if (storeName === undefined) return `\n${addresses} No lock store is loaded.\n\n`;
  const token = options.apiToken === undefined ? '' : ' -H "dapr-api-token: $DAPR_API_TOKEN"';
  return `
${addresses} Take a lock:

${curl} -X POST ${base}/v1.0-alpha1/lock/${encodeURIComponent(storeName)} -H 'Content-Type: application/json'${token} -d '{"resourceId":"my_file_name","lockOwner":"random_id_abc123","expiryInSeconds":60}'

`;
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

/** As a shell reads it back; plain where it can be. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
