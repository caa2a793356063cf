import type { Exchange, ForwardPlan } from '../exchange.ts';
import type { BodyFilter, ResponseFilter } from '../response-filter.ts';

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

const AT_ONCE: BodyFilter = { write: (chunk, push) => push(chunk), end: () => {} };

const LATER: BodyFilter = {
  async write(chunk, push) {
    const copy = Buffer.from(chunk);
    await turn();
    push(copy.subarray(0, 10));
    await turn();
    push(copy.subarray(10));
  },
  end: turn,
};

/** Holds back the last piece until the next comes, and now and then lets the engine wait. */
function laggard(): BodyFilter {
  let held = Buffer.alloc(0);
  let calls = 0;
  return {
    write(chunk, push) {
      push(held);
      held = Buffer.from(chunk);
      return ++calls % 3 === 0 ? turn() : undefined;
    },
    end: (push) => push(held),
  };
}

const FILTERS: readonly ResponseFilter[] = [
  { onHead: () => AT_ONCE },
  { onHead: () => LATER },
  { onHead: laggard },
  {
    onHead(head) {
      head.setHeader('X-Edited', head.header('x-owner') ?? '');
      return undefined;
    },
  },
];

/** Forwards so that every byte arrives as it was sent, in a manner that depends on `number`: filters, edits, collected bodies. */
export function forwardChanged(exchange: Exchange, plan: ForwardPlan, number: number): void {
  const changed = { ...plan, responseFilter: FILTERS[number % FILTERS.length] };
  if (number % 3 !== 0) {
    exchange.forward(changed);
    return;
  }
  // Rejected where the client leaves, or sends nonsense: then there is nothing to decide.
  exchange.readBody(number % 2 === 0 ? 20_000 : 400_000).then(
    () => exchange.forward(changed),
    () => {},
  );
}
