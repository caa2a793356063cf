import type { Socket } from 'node:net';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import type { AcceptedConnection } from '../transport/accepted-connection.ts';
import { SocketTransport } from '../transport/socket-transport.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { Http2Connection } from './http2-connection.ts';
import { PrefaceWatch } from './preface-watch.ts';
import { StreamTools } from './stream-tools.ts';

/** HTTP/2 for the clients of one server. */
export class Http2Side {
  readonly #context: EngineContext;
  readonly #tools: StreamTools;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#tools = new StreamTools(context.limits.responseHeadBytes, context.limits.responseHeaderCount);
  }

  /** Serves a client on a decrypted stream of which nothing was read, after `h2` was agreed on or because it has begun with HTTP/2. */
  serve(client: ClientConnection, socket: Socket, onGone: (connection: Http2Connection) => void): Http2Connection {
    return new Http2Connection(this.#context, this.#tools, { ...client, httpVersion: 2 }, socket, onGone);
  }

  /** Opens a plain connection for `receiver`; `onHttp2` gets it instead when the client begins with HTTP/2. */
  watch(accepted: AcceptedConnection, receiver: TransportReceiver, onHttp2: (socket: Socket) => void): Transport {
    const transport: Transport = accepted.open(
      new PrefaceWatch(receiver, (unread) => {
        if (transport instanceof SocketTransport) onHttp2(transport.handOver(unread));
        else transport.destroy();
      }),
    );
    return transport;
  }
}
