import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { HttpForm, MethodRow, StreamMethod, UnaryMethod } from '../api/api-method';
import type { EventStreams } from '../api/event-streams';
import type { BodyBounds } from './body-reader';
import { HttpEventStream } from './http-event-stream';
import { HttpMethodCall } from './http-method-call';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The row to which a route belongs. A route without a row is never served. */
    readonly row?: MethodRow;
    /** The path of the route as written in the row. */
    readonly template?: string;
  }
}

/** A request in the form that codecs need. */
export type ApiRequest = FastifyRequest<{
  Params: Readonly<Record<string, string>>;
  Querystring: Readonly<Record<string, string>>;
  /** Undefined if the request has no body. */
  Body: Buffer | undefined;
}>;

/** Reads a method's request and writes its answer. */
export interface UnaryCodec<Request, Response> {
  /** May throw an error of a catalogue. */
  readonly decode: (request: ApiRequest) => Request;
  /** Sends the answer. Throws if HTTP reports this answer as an error. */
  readonly encode: (response: Response, reply: FastifyReply) => FastifyReply;
  /**
   * The body limit of a method that can't use bodies of any length, and the error for longer ones.
   */
  readonly longestBody?: BodyBounds['longest'];
}

/** Reads the request of a stream and writes its events as lines of JSON (application/x-ndjson). */
export interface StreamCodec<Request, Event> extends Pick<
  UnaryCodec<Request, never>,
  'decode' | 'longestBody'
> {
  /** Converts an event to JSON without a line break. */
  readonly toLine: (event: Event) => string;
}

/** A method in the form that an HTTP server needs: its row, and a function that adds its routes. */
export interface HttpMethod {
  readonly row: MethodRow;
  readonly addTo: (instance: FastifyInstance, streams: EventStreams) => void;
}

/** A codec for each row of a table, by name. A row without a codec does not compile. */
export type CodecsOf<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends UnaryMethod<infer Request, infer Response>
    ? UnaryCodec<Request, Response>
    : Api[Name] extends StreamMethod<infer Request, infer Event>
      ? StreamCodec<Request, Event>
      : never;
};

/** Adds codecs to the rows of a table. */
export function bindMethods<Api extends { readonly [Name in keyof Api]: MethodRow }>(
  api: Api,
  codecs: CodecsOf<Api>,
): readonly HttpMethod[] {
  // The type guarantees that each codec belongs to the row with its name.
  return (Object.keys(api) as (keyof Api)[]).map((name) => {
    const method = api[name] as unknown as AnyMethod;
    const codec: unknown = codecs[name];
    if (method.kind === 'unary') return bindUnary(method, codec as UnaryCodec<unknown, unknown>);
    return bindStream(method, codec as StreamCodec<unknown, unknown>);
  });
}

type AnyMethod = UnaryMethod<unknown, unknown> | StreamMethod<unknown, unknown>;

function bindUnary(
  method: UnaryMethod<unknown, unknown>,
  { decode, encode, longestBody }: UnaryCodec<unknown, unknown>,
): HttpMethod {
  const handler = async (request: ApiRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const decoded = decode(request);
    return encode(await method.handle(decoded, new HttpMethodCall(request, reply)), reply);
  };
  return {
    row: method,
    addTo: (instance) => {
      addForms(instance, { method, longestBody, handler });
    },
  };
}

function bindStream(
  method: StreamMethod<unknown, unknown>,
  { decode, toLine, longestBody }: StreamCodec<unknown, unknown>,
): HttpMethod {
  return {
    row: method,
    addTo: (instance, streams) => {
      const handler = (request: ApiRequest, reply: FastifyReply): void => {
        const decoded = decode(request);
        const stream = new HttpEventStream(request, reply, toLine);
        stream.begin(streams, () => method.open(decoded, stream));
      };
      addForms(instance, { method, longestBody, handler });
    },
  };
}

/** The parts that all routes of a method share. */
interface RouteParts {
  readonly method: MethodRow;
  readonly longestBody: BodyBounds['longest'] | undefined;
  readonly handler: (request: ApiRequest, reply: FastifyReply) => unknown;
}

function addForms(instance: FastifyInstance, { method, longestBody, handler }: RouteParts): void {
  const addForm = ({ verb, template }: HttpForm): void => {
    const config = { row: method, template, ...(longestBody === undefined ? {} : { longestBody }) };
    instance.route<ApiRequestTypes>({ method: verb, url: toUrl(template), config, handler });
  };
  for (const form of method.http) addForm(form);
}

/** The types with which Fastify builds an {@link ApiRequest}. */
type ApiRequestTypes = ApiRequest extends FastifyRequest<infer Types> ? Types : never;

/** Converts a template to Fastify's notation. */
function toUrl(template: string): string {
  return template.replace(/\{(\w+)\}/g, ':$1');
}
