import { type ClientHello, parseClientHello } from './client-hello.ts';

/** How far the first message of a client has been read. */
export type HelloReading =
  | { readonly kind: 'incomplete' }
  /** No ClientHello, or none that is well-formed. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'whole'; readonly hello: ClientHello };

/** More than any client sends (with post-quantum keys about 2 KB), records and all. */
export const MAX_HELLO_BYTES = 16 * 1024;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const MAX_RECORD_BYTES = 16 * 1024;
/** The longest ClientHello that fits what is read of a connection. */
const MAX_MESSAGE_BYTES = MAX_HELLO_BYTES - RECORD_HEADER_BYTES;

const INCOMPLETE: HelloReading = { kind: 'incomplete' };
const MALFORMED: HelloReading = { kind: 'malformed' };

/**
 * Reads the ClientHello off the beginning of a connection, however it is cut into pieces and records; looks at each byte once, and keeps all
 * of them for whoever makes the handshake.
 */
export class HelloReader {
  #pieces: Buffer[] = [];
  #byteLength = 0;
  readonly #header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  #headerBytes = 0;
  #recordLeft = 0;
  #message: Buffer[] = [];
  #messageBytes = 0;
  /** Length of the message's body; -1 as long as it is not known. */
  #bodyBytes = -1;

  /** All that was pushed. */
  get bytes(): Buffer {
    return this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
  }

  /** Takes what has arrived, and keeps `piece`. Not to be called after anything but `incomplete`. */
  push(piece: Buffer): HelloReading {
    this.#pieces.push(piece);
    this.#byteLength += piece.length;
    for (let position = 0; position < piece.length; ) {
      const taken = this.#recordLeft === 0 ? this.#readHeader(piece, position) : this.#readRecord(piece, position);
      if (taken < 0) return MALFORMED;
      position += taken;
      if (this.#bodyBytes >= 0 && this.#messageBytes >= MESSAGE_HEADER_BYTES + this.#bodyBytes) return this.#parse();
    }
    return this.#byteLength >= MAX_HELLO_BYTES ? MALFORMED : INCOMPLETE;
  }

  /** Bytes taken of a record's header; -1 for a record that is none of a handshake. */
  #readHeader(piece: Buffer, position: number): number {
    const taken = piece.copy(this.#header, this.#headerBytes, position, position + RECORD_HEADER_BYTES - this.#headerBytes);
    this.#headerBytes += taken;
    const header = this.#header;
    // Told at the first byte, so that whoever speaks something else is not waited for.
    if (header[0] !== HANDSHAKE_RECORD || (this.#headerBytes > 1 && header[1] !== 3)) return -1;
    if (this.#headerBytes < RECORD_HEADER_BYTES) return taken;
    const length = header.readUInt16BE(3);
    if (length === 0 || length > MAX_RECORD_BYTES) return -1;
    this.#headerBytes = 0;
    this.#recordLeft = length;
    return taken;
  }

  /** Bytes taken of a record's content; -1 for a message that is no ClientHello, or too long. */
  #readRecord(piece: Buffer, position: number): number {
    const part = piece.subarray(position, position + this.#recordLeft);
    this.#recordLeft -= part.length;
    this.#message.push(part);
    this.#messageBytes += part.length;
    if (this.#bodyBytes >= 0 || this.#messageBytes < MESSAGE_HEADER_BYTES) return part.length;
    const start = Buffer.concat(this.#message);
    this.#message = [start];
    this.#bodyBytes = start.readUIntBE(1, 3);
    if (start[0] !== CLIENT_HELLO || this.#bodyBytes > MAX_MESSAGE_BYTES) return -1;
    return part.length;
  }

  #parse(): HelloReading {
    const message = this.#message.length === 1 ? this.#message[0] : Buffer.concat(this.#message);
    const hello = parseClientHello((message ?? Buffer.alloc(0)).subarray(MESSAGE_HEADER_BYTES, MESSAGE_HEADER_BYTES + this.#bodyBytes));
    return hello === undefined ? MALFORMED : { kind: 'whole', hello };
  }
}
