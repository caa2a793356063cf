import type { BodyFilter } from '../body-filter.ts';

/** All that comes out of a filter that gets these pieces; without a filter the pieces as they are. Each piece is overwritten after its call, as the caller may. */
export async function collectBody(filter: BodyFilter | undefined, chunks: readonly (string | Uint8Array)[]): Promise<Buffer> {
  if (filter === undefined) return Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
  const pushed: Buffer[] = [];
  const push = (bytes: Buffer): void => {
    pushed.push(Buffer.from(bytes));
  };
  for (const chunk of chunks) {
    const piece = Buffer.from(chunk);
    await filter.write(piece, push);
    piece.fill('~');
  }
  await filter.end(push);
  return Buffer.concat(pushed);
}
