import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import type { PageFile, PageFiles } from '../api/page-api';

/**
 * Reads the files of the page into memory. They are built together with the sidecar
 * (scripts/bundle/page.js), and read once, at start: files of a later version must not be mixed with
 * these.
 *
 * @throws {Error} if they were not built
 */
export function readPageFiles(): PageFiles {
  const folder = findPage(__dirname);
  const read = (name: keyof PageFiles, contentType: string): PageFile => {
    const body = readFileSync(path.join(folder, name));
    const hash = createHash('sha256').update(body).digest('base64url');
    return { contentType, body, etag: `"${hash}"` };
  };
  return {
    'index.html': read('index.html', 'text/html; charset=utf-8'),
    'page.js': read('page.js', 'text/javascript; charset=utf-8'),
    'page.css': read('page.css', 'text/css; charset=utf-8'),
    'icon.svg': read('icon.svg', 'image/svg+xml'),
  };
}

/** The built page, from wherever this file is: src, plain, or the bundle in dist. */
function findPage(folder: string): string {
  const page = path.join(folder, 'dist', 'page');
  const parent = path.dirname(folder);
  return existsSync(page) || parent === folder ? page : findPage(parent);
}
