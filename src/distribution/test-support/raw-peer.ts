import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { encodeFrame, FrameDecoder } from '../frame-codec.ts';
import { parseControlPlaneMessage } from '../parse-message.ts';
import { type ControlPlaneMessage, MAX_FRAME_BYTES } from '../protocol.ts';
import { openSyncConnection, type SubscriberIdentity } from '../sync-client.ts';
import { eventually } from './eventually.ts';

/** A peer with a valid certificate that says whatever a test wants. */
export class RawPeer {
  readonly socket: Duplex;
  readonly received: ControlPlaneMessage[] = [];
  isClosed = false;

  private constructor(socket: Duplex, head: Buffer) {
    this.socket = socket;
    const decoder = new FrameDecoder(MAX_FRAME_BYTES);
    const take = (chunk: Buffer): void => {
      for (const text of decoder.push(chunk)) {
        const message = parseControlPlaneMessage(text);
        if (message !== undefined) this.received.push(message);
      }
    };
    take(head);
    socket.on('data', take);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async connect(test: Pick<TestContext, 'after'>, port: number, identity: SubscriberIdentity): Promise<RawPeer> {
    const signal = new AbortController().signal;
    const { socket, head } = await openSyncConnection({ host: '127.0.0.1', port, identity, clock: systemClock, signal, timeoutMs: 10_000 });
    const peer = new RawPeer(socket, head);
    test.after(() => peer.socket.destroy());
    return peer;
  }

  send(message: object): void {
    this.socket.write(encodeFrame(message));
  }

  hello(revision = 0, protocol = 1, history?: string): void {
    this.send({ kind: 'hello', protocol, oldestProtocol: protocol, softwareVersion: '0', revision, history });
  }

  closed(): Promise<void> {
    return eventually(() => this.isClosed);
  }
}
