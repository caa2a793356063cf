import type { BodyFilter, ResponseFilter, ResponseHeadEditor } from '../response-filter.ts';

/** A filter of bodies, and what comes out of it for a whole body. */
export interface TestFilter {
  readonly name: string;
  make(): BodyFilter;
  expected(body: string): string;
}

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

const same = (body: string): string => body;
const upperCase = (body: string): string => body.toUpperCase();

/** Filters of every manner: at once and later, more and less than they got, with and without a body of their own at the end. */
export const TEST_FILTERS: readonly TestFilter[] = [
  { name: 'passes chunks on', make: () => ({ write: (chunk, push) => push(chunk), end: () => {} }), expected: same },
  {
    name: 'changes bytes',
    make: () => ({ write: (chunk, push) => push(Buffer.from(chunk.toString('latin1').toUpperCase(), 'latin1')), end: () => {} }),
    expected: upperCase,
  },
  {
    name: 'swallows all and gives it at the end',
    make: () => {
      const kept: Buffer[] = [];
      return { write: (chunk) => void kept.push(Buffer.from(chunk)), end: (push) => push(Buffer.concat(kept)) };
    },
    expected: same,
  },
  {
    name: 'swallows all',
    make: () => ({ write: () => {}, end: () => {} }),
    expected: () => '',
  },
  {
    name: 'pushes each byte twice, and empty buffers',
    make: () => ({
      write: (chunk, push) => {
        for (const byte of chunk) {
          push(Buffer.from([byte]));
          push(Buffer.alloc(0));
          push(Buffer.from([byte]));
        }
      },
      end: (push) => push(Buffer.from('end')),
    }),
    expected: (body) => `${[...body].map((letter) => letter + letter).join('')}end`,
  },
  {
    name: 'answers later',
    make: () => ({
      async write(chunk, push) {
        const copy = Buffer.from(chunk);
        await turn();
        push(copy);
      },
      async end(push) {
        await turn();
        push(Buffer.from('.'));
      },
    }),
    expected: (body) => `${body}.`,
  },
  {
    name: 'pushes before, between and after waiting',
    make: () => ({
      async write(chunk, push) {
        const text = chunk.toString('latin1');
        push(Buffer.from('<'));
        await turn();
        push(Buffer.from(text, 'latin1'));
        await turn();
        await turn();
        push(Buffer.from('>'));
      },
      async end() {
        await turn();
      },
    }),
    // The brackets depend on how the body was cut.
    expected: same,
  },
];

/** A response filter that does what the test says. */
export function filterOf(onHead: (head: ResponseHeadEditor) => BodyFilter | undefined): ResponseFilter {
  return { onHead };
}

/** Changes nothing of the head, and has the body pass through a filter. */
export function bodyFilterOf(make: () => BodyFilter): ResponseFilter {
  return { onHead: make };
}
