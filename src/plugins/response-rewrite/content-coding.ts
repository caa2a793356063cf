import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';

/** Gives a body without its coding, at once where it has none. @throws Error for what is not in that coding, and RangeError for more than `maxBytes` */
export type Decode = (body: Buffer, maxBytes: number) => Buffer | Promise<Buffer>;

const gunzipLater = promisify(gunzip);
const brotliLater = promisify(brotliDecompress);

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['identity', (body) => body],
  ['gzip', (body, maxOutputLength) => gunzipLater(body, { maxOutputLength })],
  ['x-gzip', (body, maxOutputLength) => gunzipLater(body, { maxOutputLength })],
  ['br', (body, maxOutputLength) => brotliLater(body, { maxOutputLength })],
]);

/** How a body with these values of Content-Encoding is decoded; undefined where it cannot be. */
export function decoderOf(codings: readonly string[]): Decode | undefined {
  const [coding = 'identity', ...others] = codings;
  return others.length > 0 ? undefined : DECODERS.get(coding.trim().toLowerCase());
}
