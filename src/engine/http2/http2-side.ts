import type { Socket } from 'node:net';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import { SocketTransport } from '../transport/socket-transport.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { Http2Connection } from './http2-connection.ts';
import { PrefaceWatch } from './preface-watch.ts';
import { StreamTools } from './stream-tools.ts';

/** Begins to read a client's connection. */
export type OpenTransport = (receiver: TransportReceiver) => Transport;

/** Hears nothing: what comes is for whoever takes the socket over. */
const NOBODY: TransportReceiver = { onBytes: () => {}, onEnd: () => {}, onFlushed: () => {}, onClose: () => {} };

/** HTTP/2 for the clients of one server. */
export class Http2Side {
  readonly #context: EngineContext;
  readonly #tools: StreamTools;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#tools = new StreamTools(context.limits.responseHeadBytes, context.limits.responseHeaderCount);
  }

  /** Serves a client of whose connection nothing was read, after `h2` was agreed on. */
  serve(client: ClientConnection, open: OpenTransport, onGone: (connection: Http2Connection) => void): Http2Connection {
    const transport = open(NOBODY);
    if (!(transport instanceof SocketTransport)) throw new TypeError('HTTP/2 needs a socket');
    const socket = transport.handOver(EMPTY_BYTES);
    // Only sockets of Node's own TLS server are ever said to be ready, and a session waits for that.
    Reflect.set(socket, 'secureConnecting', false);
    return this.take(client, socket, onGone);
  }

  /** Serves a client on a decrypted socket, whose first bytes are those of HTTP/2. */
  take(client: ClientConnection, socket: Socket, onGone: (connection: Http2Connection) => void): Http2Connection {
    return new Http2Connection(this.#context, this.#tools, { ...client, httpVersion: 2 }, socket, onGone);
  }

  /** Opens a plain connection for `receiver`; `onHttp2` gets it instead when the client begins with HTTP/2. */
  watch(open: OpenTransport, receiver: TransportReceiver, onHttp2: (socket: Socket) => void): Transport {
    const transport: Transport = open(
      new PrefaceWatch(receiver, (unread) => {
        if (transport instanceof SocketTransport) onHttp2(transport.handOver(unread));
        else transport.destroy();
      }),
    );
    return transport;
  }
}
