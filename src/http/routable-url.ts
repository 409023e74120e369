/** A path that no route matches and that is no valid URL: Fastify hands it to its bad-URL handler. */
const BAD_URL = '/%';

/** A route's path in segments; undefined stands for one that clients choose. */
type Template = readonly (string | undefined)[];

/** What every client of Dapr sends: nothing in it is rewritten. */
const PLAIN_URL = /^(?:\/[\w-][\w.-]*)+$/;

/**
 * Makes the function that rewrites a request's URL so that Fastify's router decides as daprd's does
 * (dapr/dapr pkg/api/http/server.go): the path as it is escaped is cleaned, doubled slashes, `.`, `..` and
 * one trailing slash go, and routes match its raw text, case and all. Only then its parameters are decoded,
 * once, with `+` as a space: here they are rewritten so that Fastify's own decoding gives just that.
 *
 * @param templates the paths of all routes, `{name}` standing for a parameter
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

/** The path of a request in absolute form, as proxies send it (RFC 9112, 3.2.2). */
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

/** A segment that can match only as it stands: an escaped `%6Cock` is not the route `lock`. */
function protect(segment: string): string | undefined {
  return INVALID_ESCAPE.test(segment) ? undefined : segment.replace(/[%#;]/g, encodeURIComponent);
}

function reencodeParameter(segment: string): string | undefined {
  if (INVALID_ESCAPE.test(segment)) return undefined;
  return encodeURIComponent(unescapeQuery(segment));
}

/** Go's url.QueryUnescape; bytes that are no UTF-8 become U+FFFD, where daprd would keep them. */
function unescapeQuery(segment: string): string {
  const bytes = segment
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  // Node gives a URL's bytes as latin1 characters.
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
