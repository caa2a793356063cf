import { isThenable } from '../../lib/is-thenable.ts';
import type { BodyFilter } from '../../plugin-kit/index.ts';

type Push = (bytes: Buffer) => void;

/** Several body filters as one: what one pushes is what the next one takes. */
export function chainFilters(filters: readonly BodyFilter[]): BodyFilter | undefined {
  if (filters.length <= 1) return filters[0];
  return {
    write: (chunk, push) => writeThrough(filters, 0, chunk, push),
    end: (push) => endThrough(filters, 0, push),
    abort: () => abortAll(filters),
  };
}

/** Ends filters whose bodies end before their time. One that fails hinders no other. */
export function abortAll(filters: readonly BodyFilter[]): void {
  for (const filter of filters) {
    try {
      filter.abort?.();
    } catch {
      // There is no answer left that this could harm.
    }
  }
}

function writeThrough(filters: readonly BodyFilter[], index: number, chunk: Buffer, push: Push): void | Promise<void> {
  const filter = filters[index];
  if (filter === undefined) {
    push(chunk);
    return undefined;
  }
  return passOn(filters, index, push, (collect) => filter.write(chunk, collect));
}

function endThrough(filters: readonly BodyFilter[], index: number, push: Push): void | Promise<void> {
  const filter = filters[index];
  if (filter === undefined) return undefined;
  const passed = passOn(filters, index, push, (collect) => filter.end(collect));
  return isThenable(passed) ? passed.then(() => endThrough(filters, index + 1, push)) : endThrough(filters, index + 1, push);
}

/** Runs one filter and hands what it pushed to those behind it, in order. */
function passOn(
  filters: readonly BodyFilter[],
  index: number,
  push: Push,
  run: (collect: Push) => void | Promise<void>,
): void | Promise<void> {
  const pieces: Buffer[] = [];
  const ran = run((bytes) => pieces.push(bytes));
  if (isThenable(ran)) {
    // What was pushed already may be slices of bytes that are the caller's again as soon as this returns.
    for (const [position, piece] of pieces.entries()) pieces[position] = Buffer.from(piece);
    return Promise.resolve(ran).then(() => writeAll(filters, index + 1, pieces, push));
  }
  return writeAll(filters, index + 1, pieces, push);
}

function writeAll(filters: readonly BodyFilter[], index: number, pieces: readonly Buffer[], push: Push): void | Promise<void> {
  for (let position = 0; position < pieces.length; position++) {
    const piece = pieces[position];
    if (piece === undefined || piece.length === 0) continue;
    const written = writeThrough(filters, index, piece, push);
    if (isThenable(written)) {
      // What waits may be slices of bytes that are the caller's again as soon as this returns.
      const waiting = pieces.slice(position + 1).map((each) => Buffer.from(each));
      return Promise.resolve(written).then(() => writeAll(filters, index, waiting, push));
    }
  }
  return undefined;
}
