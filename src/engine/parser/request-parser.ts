import type { ErrorReason } from '../../errors/index.ts';
import type { RequestHead } from '../exchange.ts';
import { CR, equalsIgnoringCase, LF, LOWER_CASE, QUESTION_MARK, SLASH, SPACE, TARGET_BYTES, TOKEN_BYTES } from './character-classes.ts';
import { ConnectionOptions } from './connection-options.ts';
import { isChunked, parseContentLength } from './framing-fields.ts';
import { HeadParser } from './head-parser.ts';
import { FIELD } from './known-fields.ts';
import { PARSE } from './parse-status.ts';
import { authorityEnd, authorityStart, isHost } from './request-target.ts';

const BEFORE_LINE = 0;
const BEFORE_LINE_LF = 1;
const METHOD = 2;
const TARGET = 3;
const VERSION = 4;
const LINE_LF = 5;
const FIELDS = 6;

const ASTERISK = 0x2a;
const HTTP_SLASH = Buffer.from('HTTP/', 'latin1');
const CONNECT = Buffer.from('connect', 'latin1');
const OPTIONS = Buffer.from('OPTIONS', 'latin1');
const CONTINUE = Buffer.from('100-continue', 'latin1');
/** Longer than any registered method. */
const MOST_METHOD_BYTES = 32;
/** RFC 9112 §2.2 asks for at least one; clients that need more do not exist. */
const MOST_EMPTY_LINES = 2;

/** Sizes that a request head may have. */
export interface RequestHeadLimits {
  readonly targetBytes: number;
  readonly headBytes: number;
  readonly headerCount: number;
}

/**
 * Reads request heads strictly (RFC 9112 §3-§6), offsets only. What two parsers could understand differently is refused, with the
 * reason in `reason`; the first offence in the order of the bytes decides.
 */
export class RequestParser extends HeadParser implements RequestHead {
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  queryStart = 0;
  hostStart = 0;
  hostEnd = 0;
  minorVersion: 0 | 1 = 1;
  body: 'none' | 'length' | 'chunked' = 'none';
  contentLength = 0;
  /** Why the head was refused, once `feed` returns `failed`. */
  reason: ErrorReason = 'bad_request_line';
  /** What RFC 9112 §9.3 makes of the version and the Connection fields. */
  wantsKeepAlive = true;
  expectsContinue = false;
  readonly #targetLimit: number;
  readonly #options = new ConnectionOptions();
  #state = BEFORE_LINE;
  #emptyLines = 0;
  #versionStart = 0;

  constructor(limits: RequestHeadLimits) {
    super(limits.headBytes, limits.headerCount);
    this.#targetLimit = limits.targetBytes;
  }

  get headers(): Int32Array {
    return this.fields.offsets;
  }

  get headerCount(): number {
    return this.fields.count;
  }

  findHeader(lowerCaseName: Uint8Array, from = 0): number {
    return this.fields.find(this.bytes, lowerCaseName, from);
  }

  cutHeader(index: number): void {
    this.fields.cuts[index] = 1;
  }

  isCut(index: number): boolean {
    return this.fields.cuts[index] === 1;
  }

  protected override resetStartLine(): void {
    this.reason = 'bad_request_line';
    this.#state = BEFORE_LINE;
    this.#emptyLines = 0;
  }

  protected override shiftStartLine(delta: number): void {
    this.methodStart += delta;
    this.methodEnd += delta;
    this.targetStart += delta;
    this.targetEnd += delta;
    this.queryStart += delta;
    this.hostStart += delta;
    this.hostEnd += delta;
    this.#versionStart += delta;
  }

  protected override scan(end: number): number {
    if (this.#state <= BEFORE_LINE_LF && !this.#skipEmptyLines(end)) return this.#fail('bad_request_line');
    if (!this.started) return PARSE.more;
    const headEnd = this.headStart + this.headLimit;
    const bound = Math.min(end, headEnd);
    const status = this.#state === FIELDS ? PARSE.done : this.#scanLine(bound);
    const whole = status === PARSE.done ? this.#scanFields(bound) : status;
    if (whole === PARSE.more && bound === headEnd) return this.#fail('head_too_large');
    return whole;
  }

  #skipEmptyLines(end: number): boolean {
    for (; this.position < end; this.position++) {
      const byte = this.bytes[this.position];
      if (this.#state === BEFORE_LINE_LF) {
        if (byte !== LF || ++this.#emptyLines > MOST_EMPTY_LINES) return false;
        this.#state = BEFORE_LINE;
      } else if (byte === CR) {
        this.#state = BEFORE_LINE_LF;
      } else {
        this.headStart = this.position;
        this.methodStart = this.position;
        this.started = true;
        this.#state = METHOD;
        return true;
      }
    }
    return true;
  }

  /** The request line; `done` when its LF was read. */
  #scanLine(end: number): number {
    const bytes = this.bytes;
    while (this.position < end) {
      switch (this.#state) {
        case METHOD:
          while (this.position < end && TOKEN_BYTES[bytes[this.position] ?? 0] === 1) this.position++;
          if (this.position - this.methodStart > MOST_METHOD_BYTES) return this.#fail('method_not_implemented');
          if (this.position === end) break;
          if (bytes[this.position] !== SPACE || this.position === this.methodStart) return this.#fail('bad_request_line');
          this.methodEnd = this.position++;
          this.targetStart = this.position;
          this.#state = TARGET;
          break;
        case TARGET:
          if (!this.#scanTarget(end)) return PARSE.failed;
          break;
        case VERSION:
          if (!this.#scanVersion(end)) return PARSE.failed;
          break;
        default:
          if (bytes[this.position++] !== LF) return this.#fail('bad_request_line');
          this.#state = FIELDS;
          return this.#checkTarget() ? PARSE.done : PARSE.failed;
      }
    }
    return PARSE.more;
  }

  #scanTarget(end: number): boolean {
    const bytes = this.bytes;
    const limit = this.targetStart + this.#targetLimit;
    const bound = Math.min(end, limit + 1);
    while (this.position < bound && TARGET_BYTES[bytes[this.position] ?? 0] === 1) this.position++;
    if (this.position > limit) return this.#refuse('uri_too_long');
    if (this.position === end) return true;
    if (bytes[this.position] !== SPACE || this.position === this.targetStart) return this.#refuse('bad_request_line');
    this.targetEnd = this.position++;
    this.#versionStart = this.position;
    this.#state = VERSION;
    return true;
  }

  /** `HTTP/` digit `.` digit CR. The major version is judged before the minor is read, so that all of HTTP/2 is 505. */
  #scanVersion(end: number): boolean {
    for (; this.position < end; this.position++) {
      const index = this.position - this.#versionStart;
      const byte = this.bytes[this.position] ?? 0;
      if (index < 5) {
        if (byte !== HTTP_SLASH[index]) return this.#refuse('bad_request_line');
      } else if (index === 5) {
        if (byte < 0x30 || byte > 0x39) return this.#refuse('bad_request_line');
        if (byte !== 0x31) return this.#refuse('version_not_supported');
      } else if (index === 6) {
        if (byte !== 0x2e) return this.#refuse('bad_request_line');
      } else if (index === 7) {
        if (byte < 0x30 || byte > 0x39) return this.#refuse('bad_request_line');
        // A higher minor version is served as the highest that is known, RFC 9110 §2.5.
        this.minorVersion = byte === 0x30 ? 0 : 1;
      } else {
        if (byte !== CR) return this.#refuse('bad_request_line');
        this.position++;
        this.#state = LINE_LF;
        return true;
      }
    }
    return true;
  }

  /** The four forms of RFC 9112 §3.2. */
  #checkTarget(): boolean {
    const bytes = this.bytes;
    const first = bytes[this.targetStart];
    this.hostStart = this.targetEnd;
    this.hostEnd = this.targetEnd;
    if (equalsIgnoringCase(bytes, this.methodStart, this.methodEnd, CONNECT)) return this.#refuse('method_not_implemented');
    if (first === ASTERISK && this.targetEnd - this.targetStart === 1) {
      if (!this.#isOptions()) return this.#refuse('bad_request_line');
    } else if (first !== SLASH && !this.#takeAuthority()) {
      return this.#refuse('bad_request_line');
    }
    let query = this.targetStart;
    while (query < this.targetEnd && bytes[query] !== QUESTION_MARK) query++;
    this.queryStart = query;
    return true;
  }

  #isOptions(): boolean {
    return OPTIONS.equals(this.bytes.subarray(this.methodStart, this.methodEnd));
  }

  /** Absolute-form: the authority is the host, what follows it the target. */
  #takeAuthority(): boolean {
    const start = authorityStart(this.bytes, this.targetStart, this.targetEnd);
    if (start === -1) return false;
    const end = authorityEnd(this.bytes, start, this.targetEnd);
    if (!isHost(this.bytes, start, end)) return false;
    this.hostStart = start;
    this.hostEnd = end;
    if (end === this.targetEnd && this.#isOptions()) {
      // RFC 9112 §3.2.4: it asks about the server, as `*` does.
      this.targetStart = end;
    } else if (end === this.targetEnd) {
      // An empty path is `/`; offsets can only point at one that is there, and the scheme has one.
      this.targetStart = start - 1;
      this.targetEnd = start;
    } else if (this.bytes[end] === QUESTION_MARK) {
      return false;
    } else {
      this.targetStart = end;
    }
    return true;
  }

  #scanFields(end: number): number {
    const fields = this.fields;
    const status = fields.parse(this.bytes, this.position, end);
    this.position = fields.position;
    if (status === PARSE.failed) return this.#fail(fields.tooMany ? 'head_too_large' : 'bad_header');
    if (status === PARSE.more) return status;
    return this.#checkFields() ? PARSE.done : PARSE.failed;
  }

  #checkFields(): boolean {
    const fields = this.fields;
    let hostIndex = -1;
    let lengths = 0;
    let codings = 0;
    this.#options.reset();
    this.expectsContinue = false;
    this.contentLength = 0;
    for (let index = 0; index < fields.count; index++) {
      const start = fields.valueStart(index);
      const end = fields.valueEnd(index);
      switch (fields.kind(index)) {
        case FIELD.host:
          if (hostIndex !== -1) return this.#refuse('bad_host');
          hostIndex = index;
          break;
        case FIELD.contentLength:
          this.contentLength = parseContentLength(this.bytes, start, end);
          if (++lengths > 1 || this.contentLength === -1) return this.#refuse('bad_content_length');
          break;
        case FIELD.transferEncoding:
          if (++codings > 1 || !isChunked(this.bytes, start, end)) return this.#refuse('bad_transfer_encoding');
          break;
        case FIELD.connection:
          if (!this.#options.read(fields, this.bytes, start, end)) return this.#refuse('bad_header');
          break;
        case FIELD.expect:
          if (!equalsIgnoringCase(this.bytes, start, end, CONTINUE)) return this.#refuse('expectation_failed');
          this.expectsContinue = true;
          break;
        default:
      }
    }
    return this.#checkHost(hostIndex) && this.#decideFraming(lengths, codings);
  }

  /** RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, at most one in 1.0, and no other than an absolute-form's authority. */
  #checkHost(hostIndex: number): boolean {
    if (hostIndex === -1) return this.minorVersion === 0 || this.#refuse('bad_host');
    const start = this.fields.valueStart(hostIndex);
    const end = this.fields.valueEnd(hostIndex);
    if (!isHost(this.bytes, start, end)) return this.#refuse('bad_host');
    if (this.hostStart < this.hostEnd && !this.#isAuthority(start, end)) return this.#refuse('bad_host');
    this.hostStart = start;
    this.hostEnd = end;
    return true;
  }

  #isAuthority(start: number, end: number): boolean {
    const bytes = this.bytes;
    if (end - start !== this.hostEnd - this.hostStart) return false;
    for (let offset = 0; offset < end - start; offset++) {
      if (LOWER_CASE[bytes[start + offset] ?? 0] !== LOWER_CASE[bytes[this.hostStart + offset] ?? 0]) return false;
    }
    return true;
  }

  /** RFC 9112 §6.1, §6.3: a message with two framings, or with one that its version does not know, is an attack or a defect. */
  #decideFraming(lengths: number, codings: number): boolean {
    if (codings > 0 && (lengths > 0 || this.minorVersion === 0)) return this.#refuse('bad_transfer_encoding');
    this.body = codings > 0 ? 'chunked' : lengths > 0 ? 'length' : 'none';
    // RFC 9110 §10.1.1: the expectation of an HTTP/1.0 client is ignored.
    this.expectsContinue &&= this.minorVersion === 1 && (codings > 0 || this.contentLength > 0);
    this.wantsKeepAlive = !this.#options.close && (this.minorVersion === 1 || this.#options.keepAlive);
    return true;
  }

  #refuse(reason: ErrorReason): false {
    this.reason = reason;
    return false;
  }

  #fail(reason: ErrorReason): number {
    this.reason = reason;
    return PARSE.failed;
  }
}
