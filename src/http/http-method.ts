import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { HttpForm, MethodRow, UnaryMethod } from '../api/api-method';
import type { BodyBounds } from './body-reader';
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

/** A method as an HTTP server takes it: its row, and how its forms become routes. */
export interface HttpMethod {
  readonly row: MethodRow;
  readonly addTo: (instance: FastifyInstance) => void;
}

/** A codec for each row of a table, by its name: a row without one does not compile. */
export type CodecsOf<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends UnaryMethod<infer Request, infer Response>
    ? UnaryCodec<Request, Response>
    : never;
};

/** Gives the rows of a table their codecs. */
export function bindMethods<Api extends { readonly [Name in keyof Api]: MethodRow }>(
  api: Api,
  codecs: CodecsOf<Api>,
): readonly HttpMethod[] {
  const names = Object.keys(api) as (keyof Api)[];
  // By its type, each codec is that of the row with its name.
  return names.map((name) =>
    bindUnary(
      api[name] as unknown as UnaryMethod<unknown, unknown>,
      codecs[name] as UnaryCodec<unknown, unknown>,
    ),
  );
}

function bindUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  { decode, encode, longestBody }: UnaryCodec<Request, Response>,
): HttpMethod {
  const handler = async (request: ApiRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const decoded = decode(request);
    return encode(await method.handle(decoded, new HttpMethodCall(request, reply)), reply);
  };
  const addForm = (instance: FastifyInstance, { verb, template }: HttpForm): void => {
    const config = { row: method, template, ...(longestBody === undefined ? {} : { longestBody }) };
    instance.route<ApiRequestTypes>({ method: verb, url: toUrl(template), config, handler });
  };
  return {
    row: method,
    addTo: (instance) => {
      for (const form of method.http) addForm(instance, form);
    },
  };
}

/** The types by which Fastify knows an {@link ApiRequest}. */
type ApiRequestTypes = ApiRequest extends FastifyRequest<infer Types> ? Types : never;

/** Fastify's way to write a template. */
function toUrl(template: string): string {
  return template.replace(/\{(\w+)\}/g, ':$1');
}
