import type { ChunkedParser } from '../parser/chunked-parser.ts';

/** The trailer fields of a chunked body that has ended, name and value in turn, as HTTP/2 writes them. */
export function requestTrailers(chunked: ChunkedParser | undefined): readonly string[] {
  const { trailers, trailerBytes } = chunked ?? {};
  if (trailers === undefined || trailerBytes === undefined) return [];
  const fields: string[] = [];
  for (let index = 0; index < trailers.count; index++) {
    const name = trailerBytes.toString('latin1', trailers.nameStart(index), trailers.nameEnd(index));
    fields.push(name.toLowerCase(), trailerBytes.toString('latin1', trailers.valueStart(index), trailers.valueEnd(index)));
  }
  return fields;
}
