import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { TSchema } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';

/** How a description names its route: method and path as the route has them, e.g. `GET /api/gateway_groups/:id`. */
export type OperationKey = `${ApiRoute['method']} /${string}`;

/** Headers that several operations read, described once in `shared-components.ts`. */
export type RequestHeader = 'Prefer' | 'If-Match' | 'If-None-Match' | 'X-Change-Reason';

/** Headers that several answers have, described once in `shared-components.ts`. */
export type AnswerHeader = 'ETag' | 'Portcullis-Revision' | 'Portcullis-Applied';

/** Statuses of refusals, described once in `shared-components.ts`. */
export type Refusal = 400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 500 | 502 | 503;

/** A parameter in the path. */
export interface PathParameter {
  /** How readers know it, where the route calls it otherwise. */
  readonly name?: string;
  readonly description: string;
  readonly schema: TSchema;
  readonly example: string;
}

/** A parameter in the query. */
export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: TSchema;
  readonly isRequired?: true;
  /** Sent by the examples; what has none is left out of them. */
  readonly example?: string;
}

/** A body that can be sent as it is shown. */
export interface BodyExample {
  readonly summary: string;
  readonly value: JsonValue;
}

/** What an operation reads from the body. */
export interface BodyDescription {
  readonly schema: TSchema;
  /** False: the operation does without it. */
  readonly isOptional?: true;
  /** The first is sent by the example command. */
  readonly examples: readonly BodyExample[];
  /** Types by which clients may call the body, besides `application/json`, with what it then is. */
  readonly otherTypes?: Readonly<Record<string, TSchema>>;
}

/** What an operation answers when it succeeds. */
export interface AnswerDescription {
  readonly description: string;
  /** Of a JSON body; absent for an answer without one, or with a text. */
  readonly schema?: TSchema;
  readonly example?: JsonValue;
  readonly headers?: readonly AnswerHeader[];
  /** Content types of a body that is no JSON. */
  readonly textTypes?: readonly string[];
}

/** All that the OpenAPI document says of one operation beyond what its route says itself. */
export interface OperationDescription {
  /** Unique, camelCase: what generated clients call the operation. */
  readonly id: string;
  readonly tag: string;
  /** A short sentence without a full stop; it stands in tables. */
  readonly summary: string;
  readonly description?: string;
  /** By the name that the route has for it. */
  readonly path?: Readonly<Record<string, PathParameter>>;
  readonly query?: readonly QueryParameter[];
  readonly headers?: readonly RequestHeader[];
  readonly body?: BodyDescription;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Besides those that follow from the route: 400, 429, 500 and 503 of all, 401 and 403 where a permission is asked for, 408, 413 and 415 with a body. */
  readonly refusals?: readonly Refusal[];
}

/** What a part of the API says of its operations. */
export interface ApiDescription {
  readonly operations: Readonly<Record<OperationKey, OperationDescription>>;
  /** Schemas that operations refer to with `schemaRef`. */
  readonly schemas?: Readonly<Record<string, TSchema>>;
}

/** A route with its description. */
export interface DescribedRoute extends ApiRoute {
  readonly description: OperationDescription;
}

/** A route table in which nothing lacks a description, and the schemas that the descriptions refer to. */
export interface DescribedApi {
  readonly routes: readonly DescribedRoute[];
  readonly schemas: Readonly<Record<string, TSchema>>;
}

/** A reference to a schema of some `ApiDescription`. */
export function schemaRef(name: string): TSchema {
  return { $ref: `#/components/schemas/${name}` } satisfies JsonObject;
}
