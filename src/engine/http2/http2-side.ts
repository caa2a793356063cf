import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { Http2Connection } from './http2-connection.ts';
import { PrefaceWatch } from './preface-watch.ts';
import { serverTerms } from './server-terms.ts';
import type { SessionTerms } from './session/session-terms.ts';
import { StreamTools } from './stream-tools.ts';

/** Begins to read a client's connection. */
export type OpenTransport = (receiver: TransportReceiver) => Transport;

/** HTTP/2 for the clients of one server. */
export class Http2Side {
  readonly #context: EngineContext;
  readonly #tools: StreamTools;
  readonly #terms: SessionTerms;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#tools = new StreamTools(context.limits.responseHeadBytes, context.limits.responseHeaderCount);
    this.#terms = serverTerms(context);
  }

  /** Serves a client of whose connection nothing was read, or nothing but what its receiver is told first. */
  serve(client: ClientConnection, open: OpenTransport, onGone: (connection: Http2Connection) => void): Http2Connection {
    return new Http2Connection(this.#context, this.#tools, this.#terms, { ...client, httpVersion: 2 }, open, onGone);
  }

  /** Opens a plain connection for `receiver`; when the client begins with HTTP/2, `onHttp2` says who hears of it instead. */
  watch(open: OpenTransport, receiver: TransportReceiver, onHttp2: (transport: Transport) => TransportReceiver): Transport {
    const transport: Transport = open(new PrefaceWatch(receiver, () => onHttp2(transport)));
    return transport;
  }
}
