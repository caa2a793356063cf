import { createServer, Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/**
 * Preloaded into every thread (`--import`), it makes the workers' Node one whose handles can be used by sockets alone: a connection that was
 * accepted past them fails as soon as something is done with it.
 */
if (!isMainThread) {
  const server = createServer().listen(0);
  let holder: object | null = Reflect.get(server, '_handle');
  while (holder !== null && !Object.hasOwn(holder, 'setNoDelay')) holder = Reflect.getPrototypeOf(holder);
  const setNoDelay: unknown = holder === null ? undefined : Reflect.get(holder, 'setNoDelay');
  if (holder === null || typeof setNoDelay !== 'function') throw new Error('handles are not what this was written for');
  Reflect.set(holder, 'setNoDelay', function changed(this: object, ...given: unknown[]): unknown {
    const isOwned = Object.getOwnPropertySymbols(this).some((name) => Reflect.get(this, name) instanceof Socket);
    if (!isOwned) throw new Error('this handle belongs to no socket');
    return Reflect.apply(setNoDelay, this, given);
  });
  server.close();
}
