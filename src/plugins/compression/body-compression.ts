import { type BodyFilter, type RequestSlot, type RequestView, type ResponseHead, requestSlot } from '../../plugin-kit/index.ts';
import { acceptsCoding } from './accepts-coding.ts';
import type { Codec } from './codec.ts';
import type { CompressionConfiguration } from './compression-fields.ts';
import { StreamingCompressor } from './streaming-compressor.ts';
import { WholeBodyCompressor } from './whole-body-compressor.ts';

/** An answer whose head says that it is compressed. */
interface Compressed {
  /** Undefined where the length is not known beforehand. */
  readonly length: number | undefined;
}

const ACCEPT_ENCODING = 'Accept-Encoding';
/** Bodies up to here are compressed as a whole. */
const MAX_WHOLE_BYTES = 32 * 1024;
const PARTIAL_CONTENT = 206;

/** Decides which answers are compressed, says so in their heads, and compresses them; for one configuration of gzip or brotli. */
export class BodyCompression {
  readonly #types: ReadonlySet<string> | '*';
  readonly #minLength: number;
  readonly #minMinorVersion: number;
  readonly #vary: boolean;
  readonly #codec: Codec;
  readonly #statuses: ReadonlySet<number> | undefined;
  readonly #slot: RequestSlot<Compressed>;

  /** `statuses`: those that are compressed; all but 206 unless said. */
  constructor(configuration: CompressionConfiguration, codec: Codec, statuses?: ReadonlySet<number>) {
    const { types, min_length, http_version, vary } = configuration;
    this.#types = types === '*' ? '*' : new Set(types);
    this.#minLength = min_length;
    this.#minMinorVersion = http_version === 1 ? 0 : 1;
    this.#vary = vary === true;
    this.#codec = codec;
    this.#statuses = statuses;
    this.#slot = requestSlot(codec.coding);
  }

  filterHead(request: RequestView, response: ResponseHead): void {
    const length = lengthOf(response);
    if (!this.#fits(request, response, length)) return;
    if (this.#vary) addVary(response);
    // An answer to HEAD or 304 has no body that could tell what its Content-Length would be.
    if (!response.hasBody || !acceptsCoding(request.headerValues('accept-encoding'), this.#codec.coding)) return;
    // Content-Length goes with the framing, which is the engine's.
    response.setHeader('Content-Encoding', this.#codec.coding);
    // Ranges of what is compressed on the fly cannot be given.
    response.removeHeader('accept-ranges');
    weakenETag(response);
    request.set(this.#slot, { length });
  }

  filterBody(request: RequestView, response: ResponseHead): BodyFilter | undefined {
    const compressed = request.get(this.#slot);
    // A filter behind this one that gives the answer another body says so by the coding.
    if (compressed === undefined || response.header('content-encoding') !== this.#codec.coding) return undefined;
    const { length } = compressed;
    const isWhole = response.source === 'gateway' || (length !== undefined && length <= MAX_WHOLE_BYTES);
    return isWhole ? new WholeBodyCompressor(this.#codec) : new StreamingCompressor(this.#codec.createStream(length));
  }

  /** All conditions but that the client accepts the coding. */
  #fits(request: RequestView, response: ResponseHead, length: number | undefined): boolean {
    if (response.header('content-encoding') !== undefined || !this.#fitsStatus(response)) return false;
    const [type] = (response.header('content-type') ?? '').split(';', 1);
    if (type === undefined || type === '' || (this.#types !== '*' && !this.#types.has(type))) return false;
    if (length !== undefined && length < this.#minLength) return false;
    if (request.minorVersion < this.#minMinorVersion) return false;
    return !forbidsTransforming(response);
  }

  #fitsStatus({ status }: ResponseHead): boolean {
    return this.#statuses === undefined ? status !== PARTIAL_CONTENT : this.#statuses.has(status);
  }
}

function lengthOf(response: ResponseHead): number | undefined {
  const text = response.header('content-length');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** RFC 9111 §5.2.2.6. */
function forbidsTransforming(response: ResponseHead): boolean {
  return response.headerValues('cache-control').some((value) => /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(value));
}

function addVary(response: ResponseHead): void {
  const names = response
    .headerValues('vary')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase());
  if (!names.includes('*') && !names.includes(ACCEPT_ENCODING.toLowerCase())) response.addHeader('Vary', ACCEPT_ENCODING);
}

/** Other bytes cannot have the same strong validator (RFC 9110 §8.8.1). What is no entity tag is dropped, as nginx does. */
function weakenETag(response: ResponseHead): void {
  const tag = response.header('etag');
  if (tag === undefined || tag.startsWith('W/')) return;
  if (tag.startsWith('"')) response.setHeader('ETag', `W/${tag}`);
  else response.removeHeader('etag');
}
