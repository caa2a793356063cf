import type { ByteWriter } from '../../lib/byte-writer.ts';
import { type FieldName, fieldNameOf } from '../../lib/field-name.ts';
import type { EngineContext } from '../engine-context.ts';
import { equalsText, isFieldValue } from '../parser/field-text.ts';
import { FIELD } from '../parser/known-fields.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import type { ResponseHeadEditor } from '../response-filter.ts';
import { type FieldKinds, fieldKinds, HOP_BY_HOP } from '../writer/field-writer.ts';
import { statusLine } from '../writer/fixed-lines.ts';
import { isBodylessStatus } from './bodyless-status.ts';

/** Fields that the engine writes itself, or lets nobody write. */
const ENGINE_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-apisix-upstream-status',
]);

const SHOWN_OF_FRAMING = FIELD.contentLength;
const HIDDEN = fieldKinds([...HOP_BY_HOP, FIELD.trailer].filter((kind) => kind !== SHOWN_OF_FRAMING));
const HIDDEN_WITH_SERVER = fieldKinds([...HOP_BY_HOP, FIELD.trailer, FIELD.server].filter((kind) => kind !== SHOWN_OF_FRAMING));

/** A field that was put into the head. */
interface AddedField {
  readonly field: FieldName;
  readonly value: string;
}

/** The edits of one response's head: cuts in what the upstream sent, and lines behind it. Its own fields are cut already. */
export class ResponseHeadEdits implements ResponseHeadEditor {
  readonly #context: EngineContext;
  readonly #isHead: boolean;
  readonly #hidden: FieldKinds;
  #parsed: ResponseParser | undefined;
  #status: number;
  #newStatus = false;
  readonly #added: AddedField[] = [];

  /** `isHead`: the client has asked with HEAD. */
  constructor(context: EngineContext, parsed: ResponseParser, isHead: boolean) {
    this.#context = context;
    this.#isHead = isHead;
    this.#hidden = context.serverLine === undefined ? HIDDEN : HIDDEN_WITH_SERVER;
    this.#parsed = parsed;
    this.#status = parsed.status;
  }

  /** From now on the head cannot be edited, nor looked at. */
  close(): void {
    this.#parsed = undefined;
  }

  // What the engine makes of them.

  /** The status that the client gets. */
  get finalStatus(): number {
    return this.#status;
  }

  /** Undefined where the upstream's own goes on. */
  get statusLine(): Buffer | undefined {
    return this.#newStatus ? statusLine(this.#status) : undefined;
  }

  appendLines(writer: ByteWriter): void {
    const added = this.#added;
    for (let index = 0; index < added.length; index++) {
      const line = added[index];
      if (line === undefined) continue;
      writer.appendAll(line.field.start);
      writer.appendAscii(line.value);
      writer.appendLineEnd();
    }
  }

  // What a filter sees.

  get status(): number {
    this.#head();
    return this.#status;
  }

  set status(status: number) {
    this.#head();
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError('a status must be from 200 to 599');
    this.#newStatus ||= status !== this.#status;
    this.#status = status;
  }

  get hasBody(): boolean {
    this.#head();
    return !this.#isHead && !isBodylessStatus(this.#status);
  }

  header(lowerCaseName: string): string | undefined {
    const head = this.#head();
    const index = this.#find(head, lowerCaseName, 0);
    if (index !== -1) return fieldValue(head, index);
    return this.#added.find(({ field }) => field.lowerCaseName === lowerCaseName)?.value;
  }

  headerValues(lowerCaseName: string): readonly string[] {
    const head = this.#head();
    const values: string[] = [];
    for (let index = this.#find(head, lowerCaseName, 0); index !== -1; index = this.#find(head, lowerCaseName, index + 1)) {
      values.push(fieldValue(head, index));
    }
    for (const { field, value } of this.#added) if (field.lowerCaseName === lowerCaseName) values.push(value);
    return values;
  }

  headerNames(): readonly string[] {
    const head = this.#head();
    const { fields } = head;
    const names = new Set<string>();
    for (let index = 0; index < fields.count; index++) {
      if (this.#isVisible(head, index))
        names.add(head.bytes.toString('latin1', fields.nameStart(index), fields.nameEnd(index)).toLowerCase());
    }
    for (const { field } of this.#added) names.add(field.lowerCaseName);
    return [...names];
  }

  setHeader(name: string, value: string): void {
    const field = this.#check(name, value);
    this.removeHeader(field.lowerCaseName);
    this.#added.push({ field, value });
  }

  addHeader(name: string, value: string): void {
    this.#added.push({ field: this.#check(name, value), value });
  }

  removeHeader(lowerCaseName: string): void {
    const head = this.#head();
    for (let index = this.#find(head, lowerCaseName, 0); index !== -1; index = this.#find(head, lowerCaseName, index + 1)) {
      if (head.fields.kind(index) === SHOWN_OF_FRAMING) continue;
      head.fields.cuts[index] = 1;
      if (head.fields.kind(index) === FIELD.date) head.hasDate = false;
    }
    const added = this.#added;
    for (let index = added.length - 1; index >= 0; index--) {
      if (added[index]?.field.lowerCaseName === lowerCaseName) added.splice(index, 1);
    }
  }

  /** The field, where it and the value may be written. */
  #check(name: string, value: string): FieldName {
    this.#head();
    const field = fieldNameOf(name);
    if (!isFieldValue(value)) throw new TypeError('a header value holds characters that it must not');
    const { lowerCaseName } = field;
    const isOwn = this.#context.ownResponseFields.some((own) => equalsText(own, 0, own.length, lowerCaseName));
    if (isOwn || ENGINE_FIELDS.has(lowerCaseName)) throw new TypeError(`the header ${lowerCaseName} cannot be set`);
    return field;
  }

  /** Index of the first visible field of this name from `from` on, or -1. */
  #find(head: ResponseParser, lowerCaseName: string, from: number): number {
    const { fields } = head;
    for (let index = from; index < fields.count; index++) {
      if (!equalsText(head.bytes, fields.nameStart(index), fields.nameEnd(index), lowerCaseName)) continue;
      if (this.#isVisible(head, index)) return index;
    }
    return -1;
  }

  #isVisible({ fields }: ResponseParser, index: number): boolean {
    return fields.cuts[index] === 0 && this.#hidden[fields.kind(index)] === 0;
  }

  #head(): ResponseParser {
    // The bytes may be those of another answer by now.
    if (this.#parsed === undefined) throw new Error('the head of this answer is on its way already');
    return this.#parsed;
  }
}

function fieldValue(head: ResponseParser, index: number): string {
  return head.bytes.toString('latin1', head.fields.valueStart(index), head.fields.valueEnd(index));
}
