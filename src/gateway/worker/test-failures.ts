import type { TestFailure } from './worker-messages.ts';

/** Numbers in one slice: 8 MiB. They are fractions because V8 keeps those where its collector need not look through them. */
const SLICE_LENGTH = 1024 * 1024;

/** Makes this thread fail, for tests of what happens then. */
export function failOnPurpose(failure: TestFailure): void {
  switch (failure) {
    case 'throw':
      setImmediate(() => {
        throw new Error('a test asked this worker to throw');
      });
      return;
    case 'exhaust-heap':
      exhaustHeap([]);
      return;
    case 'block':
      blockForEver();
      return;
    case 'exit':
      process.exit(1);
  }
}

/** A slice in each turn of the event loop, so that other requests go on being answered until the heap is full. */
function exhaustHeap(kept: number[][]): void {
  kept.push(new Array<number>(SLICE_LENGTH).fill(kept.length + 0.5));
  setImmediate(() => exhaustHeap(kept));
}

function blockForEver(): void {
  for (let turns = 0; ; turns = (turns + 1) % 1000);
}
