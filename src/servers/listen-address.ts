/** Where a server listens: a TCP address or a unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** The socket's file. */
  | { readonly path: string };

/** The certificate of a server, as PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** CAs for client certificates. If set, every client must have a certificate from one of them. */
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

/** The certificate files of both API ports. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Undefined if clients need no certificate. */
  readonly clientCa: string | undefined;
}
