import { CR, FIELD_VALUE_BYTES, LF, SPACE } from './character-classes.ts';
import { ConnectionOptions } from './connection-options.ts';
import { isChunked, parseContentLength } from './framing-fields.ts';
import { HeadParser } from './head-parser.ts';
import { FIELD } from './known-fields.ts';
import { PARSE } from './parse-status.ts';

const VERSION = 0;
const STATUS = 1;
const REASON = 2;
const LINE_LF = 3;
const FIELDS = 4;

const VERSION_TEXT = Buffer.from('HTTP/1.', 'latin1');
const VERSION_LINE = Buffer.from('HTTP/1.1 ', 'latin1');
/** With the status and the space behind it. */
const USUAL_START_BYTES = 13;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i;

/**
 * Reads response heads as strictly as request heads are read (RFC 9112 §4-§6). One leniency, which no two parsers understand
 * differently: the space before an empty reason phrase may be missing.
 */
export class ResponseParser extends HeadParser {
  status = 0;
  /** Status code and reason phrase, as sent. */
  statusStart = 0;
  statusEnd = 0;
  minorVersion: 0 | 1 = 1;
  /** What the fields say; status and method may still forbid a body. */
  framing: 'length' | 'chunked' | 'close' = 'close';
  contentLength = 0;
  hasDate = false;
  wantsKeepAlive = true;
  /** `Keep-Alive: timeout` in milliseconds, or infinity. */
  keepAliveMs = Number.POSITIVE_INFINITY;
  readonly #options = new ConnectionOptions();
  #state = VERSION;

  protected override resetStartLine(): void {
    this.#state = VERSION;
  }

  protected override shiftStartLine(delta: number): void {
    this.statusStart += delta;
    this.statusEnd += delta;
  }

  protected override scan(end: number): number {
    if (!this.started) {
      this.headStart = this.position;
      this.started = true;
    }
    const headEnd = this.headStart + this.headLimit;
    const bound = Math.min(end, headEnd);
    const status = this.#state === FIELDS ? PARSE.done : this.#scanLine(bound);
    const whole = status === PARSE.done ? this.#scanFields(bound) : status;
    return whole === PARSE.more && bound === headEnd ? PARSE.failed : whole;
  }

  #scanLine(end: number): number {
    if (this.#state === VERSION && this.position === this.headStart) this.#takeUsualStart(end);
    for (; this.position < end; this.position++) {
      const byte = this.bytes[this.position] ?? 0;
      switch (this.#state) {
        case VERSION:
          if (!this.#scanVersion(byte)) return PARSE.failed;
          break;
        case STATUS:
          if (!this.#scanStatus(byte)) return PARSE.failed;
          break;
        case REASON:
          if (byte === CR) {
            this.statusEnd = this.position;
            this.#state = LINE_LF;
          } else if (FIELD_VALUE_BYTES[byte] !== 1) return PARSE.failed;
          break;
        default:
          if (byte !== LF) return PARSE.failed;
          this.position++;
          this.#state = FIELDS;
          return PARSE.done;
      }
    }
    return PARSE.more;
  }

  /** Takes `HTTP/1.1 200 ` at once where it has come whole and is right, as it nearly always is; else nothing. */
  #takeUsualStart(end: number): void {
    const { bytes, headStart } = this;
    if (end - headStart < USUAL_START_BYTES) return;
    for (let index = 0; index < VERSION_LINE.length; index++) if (bytes[headStart + index] !== VERSION_LINE[index]) return;
    const hundreds = (bytes[headStart + 9] ?? 0) - 0x30;
    const tens = (bytes[headStart + 10] ?? 0) - 0x30;
    const ones = (bytes[headStart + 11] ?? 0) - 0x30;
    if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9 || bytes[headStart + 12] !== SPACE) return;
    this.minorVersion = 1;
    this.status = hundreds * 100 + tens * 10 + ones;
    this.statusStart = headStart + VERSION_LINE.length;
    this.position = headStart + USUAL_START_BYTES;
    this.#state = REASON;
  }

  #scanVersion(byte: number): boolean {
    const index = this.position - this.headStart;
    if (index < VERSION_TEXT.length) return byte === VERSION_TEXT[index];
    if (index === VERSION_TEXT.length) {
      this.minorVersion = byte === 0x30 ? 0 : 1;
      return isDigit(byte);
    }
    this.#state = STATUS;
    this.statusStart = this.position + 1;
    this.status = 0;
    return byte === SPACE;
  }

  #scanStatus(byte: number): boolean {
    const index = this.position - this.statusStart;
    if (index < 3) {
      this.status = this.status * 10 + byte - 0x30;
      return isDigit(byte);
    }
    this.statusEnd = this.position;
    this.#state = byte === CR ? LINE_LF : REASON;
    return (byte === SPACE || byte === CR) && this.status >= 100;
  }

  #scanFields(end: number): number {
    const fields = this.fields;
    const status = fields.parse(this.bytes, this.position, end);
    this.position = fields.position;
    return status === PARSE.done && !this.#checkFields() ? PARSE.failed : status;
  }

  #checkFields(): boolean {
    const fields = this.fields;
    let lengths = 0;
    let codings = 0;
    this.#options.reset();
    let dateIndex = -1;
    this.contentLength = 0;
    this.keepAliveMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < fields.count; index++) {
      const start = fields.valueStart(index);
      const end = fields.valueEnd(index);
      switch (fields.kind(index)) {
        case FIELD.contentLength:
          this.contentLength = parseContentLength(this.bytes, start, end);
          if (++lengths > 1 || this.contentLength === -1) return false;
          break;
        case FIELD.transferEncoding:
          if (++codings > 1 || !isChunked(this.bytes, start, end)) return false;
          break;
        case FIELD.connection:
          if (!this.#options.read(fields, this.bytes, start, end)) return false;
          break;
        case FIELD.keepAlive:
          this.#readKeepAlive(start, end);
          break;
        case FIELD.date:
          dateIndex = index;
          break;
        default:
      }
    }
    if (codings > 0 && (lengths > 0 || this.minorVersion === 0)) return false;
    // One that Connection names stays behind, and the client gets the gateway's.
    this.hasDate = dateIndex !== -1 && fields.cuts[dateIndex] === 0;
    this.framing = codings > 0 ? 'chunked' : lengths > 0 ? 'length' : 'close';
    this.wantsKeepAlive = !this.#options.close && (this.minorVersion === 1 || this.#options.keepAlive);
    return true;
  }

  #readKeepAlive(start: number, end: number): void {
    const seconds = KEEP_ALIVE_TIMEOUT.exec(this.bytes.toString('latin1', start, end))?.[1];
    if (seconds !== undefined) this.keepAliveMs = Number(seconds) * 1000;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
