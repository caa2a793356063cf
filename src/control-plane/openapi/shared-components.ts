import type { JsonObject } from '../../lib/json.ts';
import { SESSION_COOKIE } from '../auth/index.ts';
import type { AnswerHeader, Refusal, RequestHeader } from './operation-description.ts';

const text = { type: 'string' } as const;

/** Headers that operations read, as components; each under its own name. */
export const REQUEST_HEADERS: Readonly<Record<RequestHeader, JsonObject>> = {
  Prefer: {
    description:
      '`wait=N`: how many whole seconds, at most 30, the answer may wait until the gateways have the change in force. Default 1; `wait=0` does not wait.',
    schema: { ...text, examples: ['wait=5'] },
  },
  'If-Match': {
    description: 'Go on only if the resource still has this `ETag`; `*`: only if it exists. Otherwise 412, and nothing is stored.',
    schema: { ...text, examples: ['"7"'] },
  },
  'If-None-Match': {
    description: 'GET: 304 if the resource has this `ETag`. Writes: `*` goes on only if it does not exist.',
    schema: { ...text, examples: ['"7"', '*'] },
  },
  'X-Change-Reason': {
    description: 'Why the change is made: at most 512 printable characters in UTF-8, for history and the audit log',
    schema: { ...text, maxLength: 512, examples: ['ticket 42: a second node'] },
  },
};

/** Headers of answers, as components. */
export const ANSWER_HEADERS: Readonly<Record<AnswerHeader, JsonObject>> = {
  ETag: { description: 'The revision of the resource, for `If-Match` and `If-None-Match`', schema: { ...text, examples: ['"7"'] } },
  'Portcullis-Revision': {
    description: 'The revision of the gateway group that this write made',
    schema: { ...text, pattern: '^[0-9]+$' },
  },
  'Portcullis-Applied': {
    description:
      'How many of the connected gateway instances have the change in force, and which do not yet: `2/3; lagging=i-3`; with why for those that cannot: `; refused="i-3: …"`',
    schema: { ...text, pattern: '^[0-9]+/[0-9]+(; lagging=[^;]+)?(; refused=".*")*$' },
  },
};

const TRY_AGAIN = { 'Retry-After': { description: 'Seconds after which to try again', schema: { ...text, pattern: '^[0-9]+$' } } };

/** What each refusal means, and the headers that it may have. */
export const REFUSALS: Readonly<Record<Refusal, { readonly name: string; readonly description: string; readonly headers?: JsonObject }>> = {
  400: {
    name: 'Invalid',
    description: 'A malformed request or JSON, an invalid body, id or parameter, a duplicate key, or `gateway_group_id` is missing',
  },
  401: { name: 'Unauthorized', description: 'No credentials, or unknown, expired or revoked ones' },
  403: { name: 'Forbidden', description: 'The caller may not do this, or must set a first password before' },
  404: { name: 'NotFound', description: 'There is no such resource or gateway group' },
  408: { name: 'TooSlow', description: 'The request did not arrive in time' },
  409: { name: 'Conflict', description: 'It exists already, is in use, or a `test` of a JSON Patch has failed' },
  412: {
    name: 'PreconditionFailed',
    description: 'A condition does not hold; `ETag` is the current one',
    headers: { ETag: { $ref: '#/components/headers/ETag' } },
  },
  413: { name: 'TooLarge', description: 'The body is too large' },
  415: { name: 'NotJson', description: 'By cookie, Basic or without credentials: the body is not sent as `application/json`' },
  429: {
    name: 'TooOften',
    description: 'Too many requests of this user or address, wrong passwords for this user from this address, or sign-ins at once',
    headers: TRY_AGAIN,
  },
  502: { name: 'IdentityProviderFailed', description: 'The identity provider could not be reached, or did not answer as one' },
  500: { name: 'InternalError', description: 'A fault of ours; the event log has the cause' },
  503: { name: 'Unavailable', description: 'The store is not available, or too much is asked at once', headers: TRY_AGAIN },
};

/** The name of the response that stands for every other refusal. */
export const OTHER_REFUSAL = 'Refused';

/** The body of every refusal. */
export const ERROR_SCHEMA: JsonObject = {
  type: 'object',
  required: ['error_msg'],
  properties: {
    error_msg: {
      ...text,
      description: 'What is wrong. Each fault in a body is named by its JSON pointer.',
      examples: ['Error at "/service_id": property "service_id" is missing'],
    },
  },
};

/** How callers say who they are. */
export const SECURITY_SCHEMES: JsonObject = {
  token: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-KEY',
    description: 'An API token, or the admin key of a gateway group. It is read from nowhere else.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description:
      'The cookie that signing in sets. A write with it needs `Content-Type: application/json` and must come from the same origin.',
  },
  password: { type: 'http', scheme: 'basic', description: 'User name and password; for writes the same holds as for the cookie.' },
};
