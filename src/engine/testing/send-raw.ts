import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readReferenceResponse } from './reference-response.ts';

/** All that came back on one connection. */
export interface RawOutcome {
  readonly text: string;
  /** Statuses of the final answers, read with the reference parser; 0 for what is none. */
  readonly statuses: readonly number[];
  /** The peer neither answered more nor closed in time; the connection was given up. */
  readonly timedOut: boolean;
}

const LIMITS = { headBytes: 1_000_000, headerCount: 1000, chunkExtensionBytes: 4096, trailerBytes: 8192 };

/** How the text is sent. */
export interface SendRawOptions {
  /** Size of the pieces in which it is written; all at once by default. */
  readonly pieceBytes?: number;
  readonly timeoutMs?: number;
  /** The client does not end its side. */
  readonly staysOpen?: boolean;
  /** Over TLS, with whatever certificate. */
  readonly tls?: boolean;
}

/** Sends the text, ends its own side unless told otherwise, and reads to the peer's end. Never rejects once connected. */
export function sendRaw(port: number, text: string, options: SendRawOptions = {}): Promise<RawOutcome> {
  const { pieceBytes = text.length, timeoutMs = 20_000, staysOpen = false, tls = false } = options;
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, allowHalfOpen: true };
    const socket = tls ? connectTls({ ...place, rejectUnauthorized: false }) : connect({ ...place, noDelay: true });
    let received = '';
    let connected = false;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      socket.destroy();
    }, timeoutMs);
    socket.setEncoding('latin1');
    socket.on(tls ? 'secureConnect' : 'connect', async () => {
      connected = true;
      for (let start = 0; start < text.length && socket.writable; start += pieceBytes) {
        socket.write(text.slice(start, start + pieceBytes), 'latin1');
        if (start + pieceBytes < text.length) await new Promise(setImmediate);
      }
      if (socket.writable && !staysOpen) socket.end();
    });
    socket.on('data', (piece) => {
      received += String(piece);
    });
    socket.on('error', (error) => {
      if (!connected) reject(error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text: received, statuses: statusesOf(received), timedOut });
    });
  });
}

function statusesOf(text: string): readonly number[] {
  const statuses: number[] = [];
  for (let rest = text; rest !== ''; ) {
    const reading = readReferenceResponse(rest, LIMITS, { isHead: false, ended: true });
    if (reading.kind !== 'whole') return [...statuses, 0];
    if (reading.head.status >= 200) statuses.push(reading.head.status);
    rest = rest.slice(reading.end);
  }
  return statuses;
}
