import type { RequestHead } from '../../engine/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import { isFieldName, isFieldValue } from '../../lib/field-syntax.ts';
import type { ForwardingTrust } from './client-facts.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import { withoutSessionCookie } from './session-cookie.ts';

const SESSION_COOKIE_PREFIX = Buffer.from('__Host-portcullis');
/** Names come from plugins and their configurations; more than this are not worth keeping. */
const MAX_NAMES = 4096;
const nameBytes = new Map<string, Buffer>();

/**
 * The headers of one request as the client sent them and the gateway changed them: what was cut is invisible to plugins, what was
 * set is visible. Nothing is copied from the client's bytes unless it is asked for.
 */
export class EditedHeaders {
  /** The client sent X-Forwarded-For, or another header of its kind that is believed. */
  hasForwarding = false;
  #head: RequestHead | undefined;
  /** 1 where a header of the client is cut. */
  #cut = new Uint8Array(64);
  readonly #setNames: string[] = [];
  readonly #setValues: string[] = [];
  readonly #setLines: string[] = [];

  /** Takes the headers of a new request, and cuts what no client may send. */
  begin(head: RequestHead, rules: ClientHeaderRules, trust: ForwardingTrust): void {
    this.#head = head;
    this.hasForwarding = false;
    if (this.#cut.length < head.headerCount) this.#cut = new Uint8Array(head.headerCount * 2);
    for (let index = 0; index < head.headerCount; index++) {
      this.#cut[index] = 0;
      const nameStart = head.headers[index * 4] ?? 0;
      switch (rules.rule(head.bytes, nameStart, head.headers[index * 4 + 1] ?? 0)) {
        case 'cut':
          this.#cutHeader(head, index);
          break;
        case 'cookie':
          this.#cutSessionCookie(head, index);
          break;
        case 'forwarded-for':
          if (trust === 'ignored') this.#cutHeader(head, index);
          else this.hasForwarding = true;
          break;
        case 'forwarding':
          // One that `Connection` names goes no further, so it must not stand in the way of the gateway's own.
          if (trust === 'believed' && !head.isCut(index)) this.hasForwarding = true;
          else this.#cutHeader(head, index);
          break;
        case 'passes':
          break;
      }
    }
  }

  /** Forgets the request. */
  end(): void {
    this.#head = undefined;
    if (this.#setNames.length === 0) return;
    this.#setNames.length = 0;
    this.#setValues.length = 0;
    this.#setLines.length = 0;
  }

  /** The first value that the upstream would get under this name, as a byte string. */
  first(lowerCaseName: string): string | undefined {
    const set = this.#setNames.indexOf(lowerCaseName);
    if (set !== -1) return this.#setValues[set];
    const head = this.#current();
    const name = bytesOf(lowerCaseName);
    for (let index = head.findHeader(name); index !== -1; index = head.findHeader(name, index + 1)) {
      if (this.#cut[index] === 0) return this.#value(head, index);
    }
    return undefined;
  }

  /** Whether the upstream would get a header of this name. */
  has(lowerCaseName: string): boolean {
    if (this.#setNames.includes(lowerCaseName)) return true;
    const head = this.#current();
    const name = bytesOf(lowerCaseName);
    for (let index = head.findHeader(name); index !== -1; index = head.findHeader(name, index + 1)) {
      if (this.#cut[index] === 0) return true;
    }
    return false;
  }

  /** All values that the upstream would get under this name, in order. */
  values(lowerCaseName: string): readonly string[] {
    const head = this.#current();
    const name = bytesOf(lowerCaseName);
    const values: string[] = [];
    for (let index = head.findHeader(name); index !== -1; index = head.findHeader(name, index + 1)) {
      if (this.#cut[index] === 0) values.push(this.#value(head, index));
    }
    for (const [index, set] of this.#setNames.entries()) if (set === lowerCaseName) values.push(this.#setValues[index] ?? '');
    return values;
  }

  /** The lower-case names that the upstream would get, in order, each once. */
  names(): readonly string[] {
    const head = this.#current();
    const names = new Set<string>();
    for (let index = 0; index < head.headerCount; index++) {
      if (this.#cut[index] !== 0) continue;
      names.add(head.bytes.toString('latin1', head.headers[index * 4], head.headers[index * 4 + 1]).toLowerCase());
    }
    for (const name of this.#setNames) names.add(name);
    return [...names];
  }

  /** All values that the client sent under this name and nothing has cut, joined by `, `. */
  joined(lowerCaseName: string): string {
    const head = this.#current();
    const name = bytesOf(lowerCaseName);
    let text = '';
    for (let index = head.findHeader(name); index !== -1; index = head.findHeader(name, index + 1)) {
      if (this.#cut[index] !== 0) continue;
      const value = this.#value(head, index);
      if (value !== '') text = text === '' ? value : `${text}, ${value}`;
    }
    return text;
  }

  /** Cuts every occurrence, the client's and the gateway's own. */
  remove(lowerCaseName: string): void {
    const head = this.#current();
    const name = bytesOf(lowerCaseName);
    for (let index = head.findHeader(name); index !== -1; index = head.findHeader(name, index + 1)) this.#cutHeader(head, index);
    for (let set = this.#setNames.indexOf(lowerCaseName); set !== -1; set = this.#setNames.indexOf(lowerCaseName)) {
      this.#setNames.splice(set, 1);
      this.#setValues.splice(set, 1);
      this.#setLines.splice(set, 1);
    }
  }

  /** Goes on with a copy of the head, whose own bytes are about to be used again. What was cut stays cut. */
  keep(copy: RequestHead): void {
    this.#head = copy;
  }

  /** Adds one behind those that there are. @throws TypeError when name or value cannot stand in a header */
  append(name: string, value: string): void {
    requireField(name, value);
    this.#add(name.toLowerCase(), value, `${name}: ${value}\r\n`);
  }

  /** Replaces every occurrence. @throws TypeError when name or value cannot stand in a header */
  set(name: string, value: string): void {
    requireField(name, value);
    const lowerCaseName = name.toLowerCase();
    this.remove(lowerCaseName);
    this.#add(lowerCaseName, value, `${name}: ${value}\r\n`);
  }

  /** As `set`, for a name that is not among the headers and a value that can stand in one. */
  add(name: string, value: string): void {
    this.#add(name.toLowerCase(), value, `${name}: ${value}\r\n`);
  }

  isSet(lowerCaseName: string): boolean {
    return this.#setNames.includes(lowerCaseName);
  }

  /** Something was set. */
  get hasSet(): boolean {
    return this.#setLines.length > 0;
  }

  /** Appends everything that was set, as complete header lines. */
  appendSetLines(writer: ByteWriter): void {
    for (const line of this.#setLines) writer.appendAscii(line);
  }

  #cutSessionCookie(head: RequestHead, index: number): void {
    const start = head.headers[index * 4 + 2] ?? 0;
    const found = head.bytes.subarray(start, head.headers[index * 4 + 3] ?? 0).indexOf(SESSION_COOKIE_PREFIX);
    if (found === -1) return;
    const sent = this.#value(head, index);
    const kept = withoutSessionCookie(sent);
    if (kept === sent) return;
    this.#cutHeader(head, index);
    if (kept !== '') this.#add('cookie', kept, `Cookie: ${kept}\r\n`);
  }

  #add(lowerCaseName: string, value: string, line: string): void {
    this.#setNames.push(lowerCaseName);
    this.#setValues.push(value);
    this.#setLines.push(line);
  }

  #cutHeader(head: RequestHead, index: number): void {
    this.#cut[index] = 1;
    head.cutHeader(index);
  }

  #value(head: RequestHead, index: number): string {
    return head.bytes.toString('latin1', head.headers[index * 4 + 2], head.headers[index * 4 + 3]);
  }

  #current(): RequestHead {
    // The bytes of a decided request may hold another client's request by now.
    if (this.#head === undefined) throw new Error('the request is already decided');
    return this.#head;
  }
}

/** Framing, connection and Host are written by the engine: a second one of a plugin would make two readers differ about the request. */
const ENGINE_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function requireField(name: string, value: string): void {
  if (!isFieldName(name) || !isFieldValue(value)) throw new TypeError('a header name or value holds characters that it must not');
  if (ENGINE_FIELDS.has(name.toLowerCase().replaceAll('_', '-'))) throw new TypeError('this header belongs to the gateway');
}

function bytesOf(lowerCaseName: string): Buffer {
  let bytes = nameBytes.get(lowerCaseName);
  if (bytes === undefined) {
    if (nameBytes.size >= MAX_NAMES) nameBytes.clear();
    bytes = Buffer.from(lowerCaseName, 'latin1');
    nameBytes.set(lowerCaseName, bytes);
  }
  return bytes;
}
