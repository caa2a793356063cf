import type { JsonValue } from '../../../lib/json.ts';
import type { QueryPair, RequestView, VariableValue } from '../../../plugin-kit/index.ts';
import { isJsonObject } from '../../../schema/index.ts';
import { readQueryPairs } from '../../paths/index.ts';
import { BODY_USE } from '../../runtime/index.ts';
import { type GraphqlFacts, loadGraphql, type ReadGraphql } from './graphql-request.ts';
import { formArgument, jsonArgument } from './post-argument.ts';

/** Of a longer body no variables are known (APISIX: `graphql.max_size`). */
const MAX_BODY_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

type BodyKind = 'form' | 'json' | 'graphql' | 'other';

/** What variables tell of a request's body, read when the first of them is asked for. */
export class BodyVariables {
  readonly #request: RequestView;
  readonly #kind: BodyKind;
  readonly #body: Uint8Array;
  readonly #readGraphql: ReadGraphql | undefined;
  #fields: readonly QueryPair[] | undefined;
  #json: { readonly value: JsonValue | undefined } | undefined;
  #graphql: { readonly facts: GraphqlFacts | undefined } | undefined;

  private constructor(request: RequestView, kind: BodyKind, body: Uint8Array, readGraphql: ReadGraphql | undefined) {
    this.#request = request;
    this.#kind = kind;
    this.#body = body;
    this.#readGraphql = readGraphql;
  }

  /** Waits for the body where one of the variables in `use` (see `BODY_USE`) could tell something of it. Rejects as `readBody` does. */
  static async of(request: RequestView, use: number): Promise<BodyVariables> {
    const kind = kindOf(request.header('content-type'));
    const wants =
      kind === 'json' || (kind === 'form' && (use & BODY_USE.arguments) !== 0) || (kind === 'graphql' && (use & BODY_USE.graphql) !== 0);
    const readGraphql = (use & BODY_USE.graphql) === 0 ? undefined : await loadGraphql();
    const body = wants && request.bodyLength !== undefined ? await request.readBody(MAX_BODY_BYTES) : NOTHING;
    return new BodyVariables(request, kind, body === 'too-large' ? NOTHING : body, readGraphql);
  }

  variable(name: string): VariableValue {
    if (name.startsWith('post_arg_')) return this.#kind === 'form' ? formArgument(this.#form(), name.slice('post_arg_'.length)) : undefined;
    if (name.startsWith('post_arg.')) return this.#argument(name.slice('post_arg.'.length));
    switch (name) {
      case 'graphql_name':
        return this.#facts()?.name;
      case 'graphql_operation':
        return this.#facts()?.operation;
      case 'graphql_root_fields':
        return this.#facts()?.rootFields;
      default:
        return undefined;
    }
  }

  #argument(path: string): VariableValue {
    if (this.#kind === 'form') return formArgument(this.#form(), path);
    const body = this.#kind === 'json' ? this.#parsed() : undefined;
    return body === undefined ? undefined : jsonArgument(body, path);
  }

  #form(): readonly QueryPair[] {
    this.#fields ??= readQueryPairs(Buffer.from(this.#body).toString('latin1'));
    return this.#fields;
  }

  #parsed(): JsonValue | undefined {
    this.#json ??= { value: parseJson(this.#body) };
    return this.#json.value;
  }

  #facts(): GraphqlFacts | undefined {
    this.#graphql ??= { facts: this.#readFacts() };
    return this.#graphql.facts;
  }

  #readFacts(): GraphqlFacts | undefined {
    const read = this.#readGraphql;
    if (read === undefined) return undefined;
    if (this.#request.method === 'GET') {
      const pairs = this.#request.queryPairs();
      return readText(read, textOf(formArgument(pairs, 'query')), textOf(formArgument(pairs, 'operationName')));
    }
    if (this.#kind === 'graphql') return readText(read, Buffer.from(this.#body).toString('utf8'), undefined);
    const body = this.#kind === 'json' ? this.#parsed() : undefined;
    return isJsonObject(body) ? readText(read, body.query, body.operationName) : undefined;
  }
}

function readText(read: ReadGraphql, query: JsonValue | undefined, operationName: JsonValue | undefined): GraphqlFacts | undefined {
  if (typeof query !== 'string') return undefined;
  return read(query, typeof operationName === 'string' && operationName !== '' ? operationName : undefined);
}

/** The characters of a byte string. */
function textOf(value: VariableValue): string | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : undefined;
}

function kindOf(contentType = ''): BodyKind {
  const type = contentType.toLowerCase();
  if (type.startsWith('application/x-www-form-urlencoded')) return 'form';
  if (type.startsWith('application/json')) return 'json';
  return type.startsWith('application/graphql') ? 'graphql' : 'other';
}

function parseJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
