import { FIRST_WINDOW_BYTES, FRAME_BYTES, MOST, SETTING, SETTING_BYTES, uint32At } from '../frames/frame-format.ts';
import { FLOW_CONTROL_ERROR, NO_ERROR, PROTOCOL_ERROR } from '../http2-codes.ts';

/** RFC 9113 §6.5.2: none may be longer. */
const MOST_FRAME_BYTES = 0xff_ffff;

/** What the peer has said about itself (RFC 9113 §6.5.2), or what holds until it does. */
export class PeerSettings {
  /** A server may say that it pushes nothing, never that a client takes it. */
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  windowBytes = FIRST_WINDOW_BYTES;
  frameBytes = FRAME_BYTES;
  takesExtendedConnect = false;
  readonly #isClient: boolean;
  readonly #onTableBytes: (bytes: number) => void;

  /** `isClient`: the peer is one. `onTableBytes` hears each size of its table in turn, for the lowest of them has to be known (RFC 7541 §4.2). */
  constructor(isClient: boolean, onTableBytes: (bytes: number) => void) {
    this.#isClient = isClient;
    this.#onTableBytes = onTableBytes;
  }

  /** Takes the pairs in `bytes[start, end)`, whole ones, in order; the error code where one of them cannot be. */
  take(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at += SETTING_BYTES) {
      const code = this.#takeOne(bytes.readUInt16BE(at), uint32At(bytes, at + 2));
      if (code !== NO_ERROR) return code;
    }
    return NO_ERROR;
  }

  #takeOne(name: number, value: number): number {
    switch (name) {
      case SETTING.headerTableSize:
        this.#onTableBytes(value);
        return NO_ERROR;
      case SETTING.enablePush:
        return value === 0 || (value === 1 && this.#isClient) ? NO_ERROR : PROTOCOL_ERROR;
      case SETTING.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return NO_ERROR;
      case SETTING.initialWindowSize:
        this.windowBytes = value;
        return value > MOST ? FLOW_CONTROL_ERROR : NO_ERROR;
      case SETTING.maxFrameSize:
        this.frameBytes = value;
        return value < FRAME_BYTES || value > MOST_FRAME_BYTES ? PROTOCOL_ERROR : NO_ERROR;
      case SETTING.enableConnectProtocol:
        return this.#takeConnect(value);
      default:
        return NO_ERROR;
    }
  }

  /** RFC 8441 §3: what was promised once holds. */
  #takeConnect(value: number): number {
    if (value > 1 || (value === 0 && this.takesExtendedConnect)) return PROTOCOL_ERROR;
    this.takesExtendedConnect = value === 1;
    return NO_ERROR;
  }
}
