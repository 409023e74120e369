/**
 * A path that matches no route and is not a valid URL. Fastify passes it to its bad-URL handler.
 */
const BAD_URL = '/%';

/** A route's path as segments. Undefined stands for a parameter. */
type Template = readonly (string | undefined)[];

/** The URLs that Dapr's clients send. They need no rewriting. */
const PLAIN_URL = /^(?:\/[\w-][\w.-]*)+$/;

/**
 * Creates the function that rewrites URLs so that Fastify's router decides as daprd's does
 * (dapr/dapr pkg/api/http/server.go). daprd cleans the path while it is still escaped: double
 * slashes, `.`, `..` and one trailing slash are removed. Then it compares routes with the raw text,
 * including its case. Only after that it decodes the parameters, once, with `+` as a space. The
 * function re-encodes parameters so that Fastify's decoding gives the same result.
 *
 * @param templates the paths of all routes, with `{name}` for a parameter
 */
export function createUrlRewriter(templates: readonly string[]): (rawUrl: string) => string {
  const parsed = templates.map(parseTemplate).filter((template) => template.includes(undefined));
  return (rawUrl) => {
    if (PLAIN_URL.test(rawUrl)) return rawUrl;
    const [rawPath = '', ...query] = withoutOrigin(rawUrl).split('?');
    const cleaned = clean(rawPath);
    const template = parsed.find((known) => isMatch(cleaned, known));
    const segments = cleaned.map((segment, index) =>
      template !== undefined && template[index] === undefined
        ? reencodeParameter(segment)
        : protect(segment),
    );
    if (segments.includes(undefined)) return BAD_URL;
    return [`/${segments.join('/')}`, ...query].join('?');
  };
}

function parseTemplate(template: string): Template {
  const segments = template.split('/').slice(1);
  return segments.map((segment) => (segment.startsWith('{') ? undefined : segment));
}

function isMatch(segments: readonly string[], template: Template): boolean {
  const matches = (part: string | undefined, index: number) =>
    part === undefined || part === segments[index];
  return segments.length === template.length && template.every(matches);
}

/** Removes the origin from a URL in absolute form, as proxies send it (RFC 9112, 3.2.2). */
function withoutOrigin(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '');
}

function clean(path: string): readonly string[] {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

const INVALID_ESCAPE = /%(?![\da-f]{2})/i;

/**
 * Makes a segment match only its raw text: the escaped `%6Cock` must not match the route `lock`.
 */
function protect(segment: string): string | undefined {
  return INVALID_ESCAPE.test(segment) ? undefined : segment.replace(/[%#;]/g, encodeURIComponent);
}

function reencodeParameter(segment: string): string | undefined {
  if (INVALID_ESCAPE.test(segment)) return undefined;
  return encodeURIComponent(unescapeQuery(segment));
}

/** Go's url.QueryUnescape. Bytes that are not UTF-8 become U+FFFD; daprd would keep them. */
function unescapeQuery(segment: string): string {
  const bytes = segment
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  // Node decodes a URL's bytes as latin1 characters.
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
