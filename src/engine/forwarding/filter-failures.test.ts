import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from '../exchange.ts';
import type { BodyFilter } from '../response-filter.ts';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { bodyFilterOf, filterOf } from '../testing/test-filters.ts';
import { planTo } from '../testing/test-handler.ts';
import { startWatched } from '../testing/watched-filter.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HEAD = 'HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 10\r\n\r\n';

async function outcome(proxy: TestProxy): Promise<readonly [number, string | undefined]> {
  const [finished] = await proxy.handler.whenFinished(1);
  return [finished?.status ?? -1, finished?.reason];
}

describe('a filter that fails', () => {
  const failing = (where: 'write' | 'end', how: 'throws' | 'rejects', calls: string[]): BodyFilter => {
    const fail = (): void | Promise<void> => {
      if (how === 'rejects') return Promise.reject(new Error('a defect'));
      throw new Error('a defect');
    };
    return {
      write: () => (where === 'write' ? fail() : undefined),
      end: () => fail(),
      abort: () => void calls.push('abort'),
    };
  };
  for (const where of ['write', 'end'] as const) {
    for (const how of ['throws', 'rejects'] as const) {
      test(`in ${where}, which ${how}, is answered with 500 where nothing was sent`, async (t) => {
        const calls: string[] = [];
        const proxy = await startProxy(t);
        const responseFilter = bodyFilterOf(() => failing(where, how, calls));
        proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter }));
        const client = await proxy.client();
        client.send(GET);
        const upstream = await proxy.upstream.connection();
        await upstream.takeThrough('\r\n\r\n');
        upstream.send(`${HEAD}0123456789`);
        assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
        await upstream.takeRest();
        assert.deepEqual(await outcome(proxy), [500, 'internal']);
        assert.match(String(proxy.failures), /^Error: a defect$/);
        assert.deepEqual(calls, ['abort']);
      });
    }
  }

  test('inside its answer cuts that off', async (t) => {
    for (const how of ['throws', 'rejects'] as const) {
      const { proxy, filter, client, upstream } = await startWatched(t, GET);
      upstream.send(`${HEAD}begin`);
      await client.takeThrough('begin\r\n');
      filter.write = () => {
        if (how === 'rejects') return Promise.reject(new Error('a defect'));
        throw new Error('a defect');
      };
      upstream.send('_last');
      assert.equal(await client.takeRest(), '', 'it ends without the last chunk');
      await upstream.takeRest();
      assert.deepEqual(await outcome(proxy), [200, 'internal']);
      assert.deepEqual(filter.calls, ['write begin', 'abort']);
      assert.equal(proxy.failures.length, 1);
    }
  });

  test('by pushing what is no buffer, or a chunk that was not its any more', async (t) => {
    for (const what of ['text', 'chunk']) {
      const { proxy, client, upstream, filter } = await startWatched(t, GET);
      filter.write = async (chunk, push) => {
        await turns(1);
        push(what === 'chunk' ? chunk.subarray(1) : (JSON.parse('"text"') as Buffer));
      };
      upstream.send(`${HEAD}0123456789`);
      assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
      assert.match(String(proxy.failures[0]), what === 'chunk' ? /valid only during/ : /must push buffers/);
    }
  });

  test('by an abort that throws costs nothing', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    filter.abort = () => {
      throw new Error('a defect');
    };
    upstream.send(`${HEAD}begin`);
    await client.takeThrough('begin');
    client.socket.resetAndDestroy();
    assert.deepEqual(await outcome(proxy), [200, 'client_aborted']);
    assert.match(String(proxy.failures), /a defect/);
    await proxy.server.whenIdle();
  });
});

describe('a filter that ends its exchange by itself', () => {
  const places: readonly (readonly [string, (exchange: () => Exchange | undefined) => Parameters<typeof planTo>[1]])[] = [
    [
      'when it is shown the head',
      (exchange) => ({
        responseFilter: filterOf(() => {
          exchange()?.abort('service_overloaded');
          return undefined;
        }),
      }),
    ],
    [
      'when it gets the body',
      (exchange) => ({
        responseFilter: bodyFilterOf(() => ({ write: () => exchange()?.abort('service_overloaded'), end: () => {} })),
      }),
    ],
    [
      'at the end of the body',
      (exchange) => ({
        responseFilter: bodyFilterOf(() => ({ write: () => {}, end: () => exchange()?.abort('service_overloaded') })),
      }),
    ],
    [
      'and throws besides',
      (exchange) => ({
        responseFilter: filterOf(() => {
          exchange()?.abort('service_overloaded');
          throw new Error('besides');
        }),
      }),
    ],
  ];
  for (const [name, changes] of places) {
    test(`${name} has it answered, and the next request is served`, async (t) => {
      const proxy = await startProxy(t);
      let current: Exchange | undefined;
      let asked = 0;
      proxy.handler.decide = (exchange) => {
        current = exchange;
        exchange.forward(planTo(proxy.target, asked++ === 0 ? changes(() => current) : {}));
      };
      const client = await proxy.client();
      client.send(`${GET}${GET}`);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(`${HEAD}0123456789`);
      const first = await readMessage(client);
      assert.equal(first.startLine, 'HTTP/1.1 503 Service Unavailable');
      const next = await proxy.upstream.connection();
      await next.takeThrough('\r\n\r\n');
      next.send(`${HEAD}9876543210`);
      assert.equal((await readMessage(client)).body.toString(), '9876543210');
      const finished = await proxy.handler.whenFinished(2);
      assert.deepEqual(
        finished.map(({ status, reason }) => [status, reason]),
        [
          [503, 'service_overloaded'],
          [200, undefined],
        ],
      );
    });
  }
});
