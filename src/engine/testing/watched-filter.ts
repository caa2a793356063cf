import type { BodyFilter } from '../response-filter.ts';
import type { ByteStream } from './byte-stream.ts';
import { startProxy, type TestProxy } from './test-engine.ts';
import { bodyFilterOf } from './test-filters.ts';
import { planTo } from './test-handler.ts';

type Push = (bytes: Buffer) => void;

/** A filter of which a test sees every call, and decides when it comes back. */
export class WatchedFilter implements BodyFilter {
  readonly calls: string[] = [];
  waits = false;
  push: Push = () => {};
  #settle: { resolve(): void; reject(error: Error): void } | undefined = undefined;

  write(chunk: Buffer, push: Push): void | Promise<void> {
    this.calls.push(`write ${chunk.toString('latin1')}`);
    this.push = push;
    if (this.waits) return this.#wait();
    push(chunk);
  }

  end(push: Push): void | Promise<void> {
    this.calls.push('end');
    this.push = push;
    if (this.waits) return this.#wait();
  }

  abort(): void {
    this.calls.push('abort');
  }

  resolve(): void {
    this.#settle?.resolve();
  }

  reject(error: Error): void {
    this.#settle?.reject(error);
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }
}

/** A request whose answer a watched filter gets. */
export interface WatchedExchange {
  readonly proxy: TestProxy;
  readonly filter: WatchedFilter;
  readonly client: ByteStream;
  readonly upstream: ByteStream;
}

/** One GET that has reached the upstream, whose answer a watched filter gets. */
export async function startWatched(t: Parameters<typeof startProxy>[0], request: string): Promise<WatchedExchange> {
  const proxy = await startProxy(t);
  const filter = new WatchedFilter();
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: bodyFilterOf(() => filter) }));
  const client = await proxy.client();
  client.send(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  return { proxy, filter, client, upstream };
}
