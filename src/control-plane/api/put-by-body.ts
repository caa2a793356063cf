import { PortcullisError } from '../../errors/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import { formatIssues, isJsonObject, type ResourceKind } from '../../schema/index.ts';
import type { Target } from '../access/index.ts';
import type { Action, ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { idInBody } from './id-in-body.ts';
import type { ResourceOperations } from './resource-operations.ts';
import { checkedId } from './resource-path.ts';
import { permitKind } from './resource-permissions.ts';

/**
 * PUT on a list, as APISIX takes it and its documents write consumers and credentials: a PUT of the resource that the body names, be it by its
 * id, its user name, or the plugin of a global rule.
 *
 * @throws PortcullisError 400 when the body names none
 */
export async function putByBody(
  put: ResourceOperations['put'],
  context: ApiContext,
  kind: ResourceKind,
  request: ApiRequest,
): Promise<ApiAnswer> {
  const body = request.body();
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'write', group.id);
  const id = idInBody(kind, body);
  if (id === undefined) throw missingId(kind, body);
  return put(context, kind, new NamingRequest(request, checkedId(kind, id), body));
}

function missingId(kind: ResourceKind, body: JsonValue): PortcullisError {
  if (!isJsonObject(body)) return invalid('', 'value must be an object');
  if (kind.idField === 'id') return new PortcullisError('admin_invalid', { publicMessage: `missing ${kind.name} id` });
  const isThere = Object.hasOwn(body, kind.idField);
  return invalid(`/${kind.idField}`, isThere ? 'value must be a string' : `property "${kind.idField}" is missing`);
}

function invalid(pointer: string, message: string): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage: formatIssues([{ pointer, message }]) });
}

/** A request on a list as one on the resource that its body names. The body is parsed once. */
class NamingRequest implements ApiRequest {
  readonly id: string;
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly caller: ApiRequest['caller'];
  readonly address: string;
  readonly #onList: ApiRequest;
  readonly #body: JsonValue;

  constructor(onList: ApiRequest, resourceId: string, body: JsonValue) {
    this.#onList = onList;
    this.#body = body;
    this.id = onList.id;
    this.method = onList.method;
    this.parameters = new Map([...onList.parameters, ['id', resourceId]]);
    this.query = onList.query;
    this.caller = onList.caller;
    this.address = onList.address;
  }

  header(lowerCaseName: string): string | undefined {
    return this.#onList.header(lowerCaseName);
  }

  body(): JsonValue {
    return this.#body;
  }

  bytes(): Uint8Array {
    return this.#onList.bytes();
  }

  permit(action: Action, target: Target): void {
    this.#onList.permit(action, target);
  }

  permitSome(action: Action, pattern: string): void {
    this.#onList.permitSome(action, pattern);
  }

  mayDo(action: Action, target: Target): boolean {
    return this.#onList.mayDo(action, target);
  }
}
