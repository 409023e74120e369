import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { HttpForm, MethodRow, StreamMethod, UnaryMethod } from '../api/api-method';
import type { EventStreams } from '../api/event-streams';
import type { BodyBounds } from './body-reader';
import { HttpEventStream } from './http-event-stream';
import { HttpMethodCall } from './http-method-call';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The row that a route belongs to; a route without one is served to nobody. */
    readonly row?: MethodRow;
    /** The path of the route as the row has it. */
    readonly template?: string;
  }
}

/** A request as codecs see it. */
export type ApiRequest = FastifyRequest<{
  Params: Readonly<Record<string, string>>;
  Querystring: Readonly<Record<string, string>>;
  /** Undefined where the request has no body. */
  Body: Buffer | undefined;
}>;

/** How a method's request is read and its answer written. */
export interface UnaryCodec<Request, Response> {
  /** May throw an error of a catalogue. */
  readonly decode: (request: ApiRequest) => Request;
  /** Sends the answer; throws where HTTP answers it with an error. */
  readonly encode: (response: Response, reply: FastifyReply) => FastifyReply;
  /** For a method that can't use bodies of any length: what is taken, and what is answered beyond. */
  readonly longestBody?: BodyBounds['longest'];
}

/** How the request of a stream is read and its events are written: as lines of JSON (application/x-ndjson). */
export interface StreamCodec<Request, Event> extends Pick<
  UnaryCodec<Request, never>,
  'decode' | 'longestBody'
> {
  /** An event as JSON, without a line break. */
  readonly toLine: (event: Event) => string;
}

/** A method as an HTTP server takes it: its row, and how its forms become routes. */
export interface HttpMethod {
  readonly row: MethodRow;
  readonly addTo: (instance: FastifyInstance, streams: EventStreams) => void;
}

/** A codec for each row of a table, by its name: a row without one does not compile. */
export type CodecsOf<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends UnaryMethod<infer Request, infer Response>
    ? UnaryCodec<Request, Response>
    : Api[Name] extends StreamMethod<infer Request, infer Event>
      ? StreamCodec<Request, Event>
      : never;
};

/** Gives the rows of a table their codecs. */
export function bindMethods<Api extends { readonly [Name in keyof Api]: MethodRow }>(
  api: Api,
  codecs: CodecsOf<Api>,
): readonly HttpMethod[] {
  // By its type, each codec is that of the row with its name.
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

/** What the routes of a method share. */
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

/** The types by which Fastify knows an {@link ApiRequest}. */
type ApiRequestTypes = ApiRequest extends FastifyRequest<infer Types> ? Types : never;

/** Fastify's way to write a template. */
function toUrl(template: string): string {
  return template.replace(/\{(\w+)\}/g, ':$1');
}
