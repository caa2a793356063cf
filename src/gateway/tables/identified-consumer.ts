import type { ByteWriter } from '../../lib/byte-writer.ts';
import { DIGEST_WORD, PAYLOAD_OFFSET, spaceOfHead } from '../../lib/digest-record.ts';
import { RecentTexts } from '../../lib/recent-texts.ts';
import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { labelsOf, pluginsTextOf } from './consumer-details.ts';
import { CONSUMER_HEAD_BYTES, NO_CUSTOM_ID } from './consumer-record.ts';

/** Half a megabyte a worker, and the strings. */
const usernames = new RecentTexts(16_384, 32);
const CREDENTIAL_LINE = Buffer.from('X-Credential-Identifier: ', 'latin1');

/** The bytes in which a consumer's name and the id of its credential stand; the id is empty where there is none. */
export interface IdentityBytes {
  readonly bytes: Buffer;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly idStart: number;
  readonly idEnd: number;
}

/**
 * A consumer as a request found it. It was copied out of shared memory in one piece, so it may be kept as long as the request
 * lasts, and stays what it was when the consumer is changed or removed meanwhile. Its texts are decoded when they are asked for.
 */
export class IdentifiedConsumer implements ConsumerMatch, IdentityBytes {
  /**
   * The consumer's record (see `consumerRecord`), the credential's record up to its id, where it came from a table (see `digest-record.ts`), that id,
   * the consumer's details (see `consumerDetails`), the credential's data.
   */
  readonly bytes: Buffer;
  readonly nameStart = CONSUMER_HEAD_BYTES;
  readonly nameEnd: number;
  readonly #customIdEnd: number;
  readonly idStart: number;
  readonly idEnd: number;
  readonly #recordEnd: number;
  readonly #detailsEnd: number;
  #username: string | undefined = undefined;

  constructor(bytes: Buffer, recordEnd: number, idStart = recordEnd, idEnd = bytes.length, detailsEnd = idEnd) {
    this.bytes = bytes;
    this.#recordEnd = recordEnd;
    this.idStart = idStart;
    this.idEnd = idEnd;
    this.#detailsEnd = detailsEnd;
    this.nameEnd = CONSUMER_HEAD_BYTES + bytes.readUInt32LE(0);
    const length = bytes.readUInt32LE(4);
    this.#customIdEnd = this.nameEnd + (length === NO_CUSTOM_ID ? 0 : length);
  }

  /** The same string for each request of a consumer that comes often: plugins count and look up by it. */
  get username(): string {
    this.#username ??= usernames.textOf(this.bytes, CONSUMER_HEAD_BYTES, this.nameEnd);
    return this.#username;
  }

  get customId(): string | undefined {
    if (this.bytes.readUInt32LE(4) === NO_CUSTOM_ID) return undefined;
    return this.bytes.toString('utf8', this.nameEnd, this.#customIdEnd);
  }

  /** Undefined for a key written on the consumer, and for a consumer found by name. */
  get credentialId(): string | undefined {
    return this.idStart === this.idEnd ? undefined : this.bytes.toString('utf8', this.idStart, this.idEnd);
  }

  /** All labels of the consumer that are text, `custom_id` among them; undefined for none. Read anew at each call. */
  get labels(): ReadonlyMap<string, string> | undefined {
    return labelsOf(this.bytes, this.idEnd, this.#detailsEnd, this.customId);
  }

  /** The consumer's own plugins: JSON of `[name, ReadPlugin][]`; undefined for none. */
  get pluginsText(): string | undefined {
    return pluginsTextOf(this.bytes, this.idEnd, this.#detailsEnd);
  }

  /** JSON of what the credential's plugin has given for it on the control plane (`credentialData`); undefined where it gives nothing. */
  get credentialDataText(): string | undefined {
    return this.#detailsEnd === this.bytes.length ? undefined : this.bytes.toString('utf8', this.#detailsEnd, this.bytes.length);
  }

  /** By which entry it was found; undefined where it came from no table. */
  get foundBy(): { readonly space: number; readonly digest: Uint8Array } | undefined {
    if (this.idStart - this.#recordEnd < PAYLOAD_OFFSET) return undefined;
    const start = this.#recordEnd;
    return {
      space: spaceOfHead(this.bytes.readUInt32LE(start)),
      digest: this.bytes.subarray(start + DIGEST_WORD * 4, start + PAYLOAD_OFFSET),
    };
  }

  /** Whether both are the same consumer with the same credential, and that says the same. */
  provesSameAs(other: IdentifiedConsumer): boolean {
    return (
      this.username === other.username && this.credentialId === other.credentialId && this.credentialDataText === other.credentialDataText
    );
  }

  /**
   * Appends `X-Consumer-Username: …`, with a custom id that a header can carry `X-Consumer-Custom-ID: …`, and with a credential
   * `X-Credential-Identifier: …`, each a whole line, texts as UTF-8.
   */
  appendHeaderLines(writer: ByteWriter): void {
    const bytes = this.bytes;
    const { idStart, idEnd } = this;
    writer.append(bytes, this.#customIdEnd, this.#recordEnd);
    if (idStart === idEnd || !canStandInHeader(bytes, idStart, idEnd)) return;
    writer.appendAll(CREDENTIAL_LINE);
    writer.append(bytes, idStart, idEnd);
    writer.appendLineEnd();
  }

  /** Appends `,"consumer":…,"credential":…` for the access log and returns true, if both are printable ASCII without `"` and `\`. */
  appendLogText(writer: ByteWriter): boolean {
    const bytes = this.bytes;
    if (!isPlainText(bytes, CONSUMER_HEAD_BYTES, this.nameEnd) || !isPlainText(bytes, this.idStart, this.idEnd)) return false;
    writer.appendAscii(',"consumer":"');
    writer.append(bytes, CONSUMER_HEAD_BYTES, this.nameEnd);
    if (this.idStart < this.idEnd) {
      writer.appendAscii('","credential":"');
      writer.append(bytes, this.idStart, this.idEnd);
    }
    writer.appendAscii('"');
    return true;
  }
}

const DELETE = 0x7f;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const HTAB = 0x09;

/** RFC 9110 §5.5. */
function canStandInHeader(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if ((byte < SPACE && byte !== HTAB) || byte === DELETE) return false;
  }
  return true;
}

function isPlainText(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < SPACE || byte >= DELETE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}
