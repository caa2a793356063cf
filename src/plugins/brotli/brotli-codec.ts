import { promisify } from 'node:util';
import { type BrotliOptions, brotliCompress, brotliCompressSync, constants, createBrotliCompress } from 'node:zlib';
import type { Codec } from '../compression/index.ts';
import type { BrotliConfiguration } from './schema.ts';

const compressAside = promisify<Buffer, BrotliOptions, Buffer>(brotliCompress);

/** brotli with these settings. */
export function brotliCodec(settings: Pick<BrotliConfiguration, 'comp_level' | 'mode' | 'lgwin' | 'lgblock'>): Codec {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: settings.comp_level,
    [constants.BROTLI_PARAM_MODE]: settings.mode,
    [constants.BROTLI_PARAM_LGBLOCK]: settings.lgblock,
    ...(settings.lgwin === 0 ? {} : { [constants.BROTLI_PARAM_LGWIN]: settings.lgwin }),
  };
  const optionsFor = (length: number): BrotliOptions => ({ params: { ...params, [constants.BROTLI_PARAM_SIZE_HINT]: length } });
  return {
    coding: 'br',
    maxBytesAtOnce: maxBytesAtOnce(settings.comp_level),
    compressAtOnce: (body) => brotliCompressSync(body, optionsFor(body.length)),
    compressAside: (body) => compressAside(body, optionsFor(body.length)),
    createStream: (length) =>
      createBrotliCompress(length === undefined ? { params, flush: constants.BROTLI_OPERATION_FLUSH } : optionsFor(length)),
  };
}

function maxBytesAtOnce(level: number): number {
  if (level <= 4) return 32 * 1024;
  return level <= 7 ? 16 * 1024 : 0;
}
