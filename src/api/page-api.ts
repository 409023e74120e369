import type { MethodRow, UnaryMethod } from './api-method';
import type { SidecarOverview } from './overview';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
  /** A validator of the body, with its quotes (RFC 9110, 8.8.3). */
  readonly etag: string;
}

/** The files of the page, by name. */
export interface PageFiles {
  readonly 'index.html': PageFile;
  readonly 'page.js': PageFile;
  readonly 'page.css': PageFile;
  readonly 'icon.svg': PageFile;
}

/** The page for people, and what it shows beside the native API, by operation name. */
export interface PageApi {
  readonly GetOverview: UnaryMethod<object, SidecarOverview>;
  readonly GetPage: UnaryMethod<object, PageFile>;
  readonly GetPageScript: UnaryMethod<object, PageFile>;
  readonly GetPageStyle: UnaryMethod<object, PageFile>;
  readonly GetPageIcon: UnaryMethod<object, PageFile>;
}

/**
 * Creates the method table. None of it is served over gRPC: a browser can't call it there, and the
 * overview has the shape that the page needs, which a proto file would promise to keep.
 */
export function createPageApi(files: PageFiles, view: () => SidecarOverview): PageApi {
  const toFile = (
    operation: keyof PageApi,
    template: string,
    name: keyof PageFiles,
  ): UnaryMethod<object, PageFile> => ({
    ...toRow(operation, 'page', template),
    kind: 'unary',
    handle: () => files[name],
  });
  return {
    GetOverview: {
      ...toRow('GetOverview', 'locks', '/holdfast/v1/overview'),
      kind: 'unary',
      handle: view,
    },
    GetPage: toFile('GetPage', '/holdfast', 'index.html'),
    GetPageScript: toFile('GetPageScript', '/holdfast/page.js', 'page.js'),
    GetPageStyle: toFile('GetPageStyle', '/holdfast/page.css', 'page.css'),
    GetPageIcon: toFile('GetPageIcon', '/holdfast/icon.svg', 'icon.svg'),
  };
}

function toRow(operation: keyof PageApi, access: MethodRow['access'], template: string): MethodRow {
  const http = [{ verb: 'GET', template }] as const;
  return { operation, access, grpcPath: undefined, http, isPublic: false };
}
