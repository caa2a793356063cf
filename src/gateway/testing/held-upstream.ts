import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { TestEnd } from './test-upstream.ts';

/** An upstream that answers when the test says so. */
export interface HeldUpstream {
  readonly port: number;
  /** Requests that wait for their answer, oldest first. */
  readonly waiting: ServerResponse[];
  /** Resolves when this many wait. */
  holds(count: number): Promise<void>;
  /** Answers all that wait with 200. */
  release(): void;
}

/** Listens on a free port of 127.0.0.1 until the test ends. */
export async function startHeldUpstream(test: TestEnd): Promise<HeldUpstream> {
  const waiting: ServerResponse[] = [];
  const waiters: (() => void)[] = [];
  const server = createServer((_request, response) => {
    waiting.push(response);
    for (const wake of waiters.splice(0)) wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return {
    port: address.port,
    waiting,
    holds: async (count) => {
      while (waiting.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    release: () => {
      for (const response of waiting.splice(0)) response.end('held');
    },
  };
}
