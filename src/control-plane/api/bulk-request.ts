import type { JsonValue } from '../../lib/json.ts';
import type { ApiRequest } from '../http/index.ts';
import type { BulkOperation } from './bulk-operation.ts';

/**
 * One operation of a bulk as a request of its own: what conditions and permissions are asked of. The caller, the address and all headers but
 * those of conditions are the bulk's.
 */
export class BulkItemRequest implements ApiRequest {
  readonly id: string;
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query = new URLSearchParams();
  readonly caller: ApiRequest['caller'];
  readonly address: string;
  readonly #bulk: ApiRequest;
  readonly #operation: BulkOperation;

  constructor(bulk: ApiRequest, operation: BulkOperation) {
    this.#bulk = bulk;
    this.#operation = operation;
    this.id = bulk.id;
    this.method = operation.method.toUpperCase();
    this.parameters = new Map([
      ['parent', operation.key.parentId],
      ['id', operation.key.id],
    ]);
    this.caller = bulk.caller;
    this.address = bulk.address;
  }

  header(lowerCaseName: string): string | undefined {
    switch (lowerCaseName) {
      case 'if-match':
        return this.#operation.ifMatch;
      case 'if-none-match':
        return this.#operation.ifNoneMatch;
      case 'content-type':
        return undefined;
      default:
        return this.#bulk.header(lowerCaseName);
    }
  }

  body(): JsonValue {
    return this.#operation.body;
  }

  bytes(): Uint8Array {
    return Buffer.from(JSON.stringify(this.#operation.body));
  }
}
