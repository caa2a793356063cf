import { constants, createBrotliDecompress, createGunzip } from 'node:zlib';

/** The codings of bodies that loggers undo (APISIX, `log-util`). */
export type LoggedCoding = 'gzip' | 'br';

/** The coding of a body by its `Content-Encoding`, where loggers can undo it. */
export function loggedCodingOf(contentEncoding: string | undefined): LoggedCoding | undefined {
  switch (contentEncoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'br':
      return 'br';
    default:
      return undefined;
  }
}

/**
 * The first `maxBytes` bytes of what was coded; `coded` may be cut. As much as could be decoded where it is malformed, and `coded` itself
 * where nothing could. Decodes no more than it gives, however much there is.
 */
export async function decodeBody(coded: Buffer, coding: LoggedCoding, maxBytes: number): Promise<Buffer> {
  const decoder =
    coding === 'gzip'
      ? createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
      : createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    decoder.end(coded);
    for await (const piece of decoder) {
      pieces.push(piece);
      length += piece.length;
      // Leaving the loop ends the decoder.
      if (length >= maxBytes) break;
    }
  } catch {
    if (length === 0) return coded;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes);
}
