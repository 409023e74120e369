/** Where a server listens: a TCP address or a unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** The socket's file. */
  | { readonly path: string };

/** The certificate that a server shows, PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Whose clients are let in: with it, every client has to show a certificate of theirs. */
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

/** Files of the certificate that both API ports show. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Undefined where clients need no certificate. */
  readonly clientCa: string | undefined;
}
