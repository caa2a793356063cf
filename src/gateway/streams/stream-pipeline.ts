import type { ClientConnection, StreamHandler, StreamOwner, StreamProtocol } from '../../engine/index.ts';
import { RequestIds } from '../pipeline/index.ts';
import { StreamContext } from './stream-context.ts';
import type { StreamSurroundings } from './stream-surroundings.ts';

const ID_LENGTH = 32;

/** Decides about every connection on a stream listener: route, plugins, node; and writes its line of the access log. */
export class StreamPipeline implements StreamHandler {
  readonly #surroundings: StreamSurroundings;
  readonly #ids: RequestIds;
  readonly #id = Buffer.alloc(ID_LENGTH);

  constructor(surroundings: StreamSurroundings) {
    this.#surroundings = surroundings;
    this.#ids = new RequestIds(surroundings.random);
  }

  accepted(client: ClientConnection, protocol: StreamProtocol): StreamOwner {
    this.#ids.next(this.#id);
    return new StreamContext(this.#surroundings, client, protocol, this.#id.toString('latin1'));
  }
}
