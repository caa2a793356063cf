import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { BodyFilter } from '../../plugin-kit/index.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';
import { get, plugin } from './testing/serve-plugins.ts';

const never = (): Promise<void> => new Promise(() => {});
const BROKEN: Readonly<Record<string, Partial<BodyFilter>>> = {
  'write throws': {
    write: () => {
      throw new Error('no');
    },
  },
  'write rejects': { write: async () => Promise.reject(new Error('no')) },
  'end throws': {
    end: () => {
      throw new Error('no');
    },
  },
  'end rejects': { end: async () => Promise.reject(new Error('no')) },
};
const HANGING: Readonly<Record<string, Partial<BodyFilter>>> = { 'write hangs': { write: never }, 'end hangs': { end: never } };

/** A route to an upstream, and one that a plugin answers itself; a filter of both does as `filter` says. */
async function serveFiltered(t: TestContext, filter: Partial<BodyFilter>) {
  const [clock, log] = [new FakeClock(), new RecordingLogger()];
  let entered = (): void => {};
  const begun = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const watched = <Arguments extends unknown[]>(run: ((...values: Arguments) => void | Promise<void>) | undefined) => {
    if (run === undefined) return () => {};
    return (...values: Arguments) => {
      entered();
      return run(...values);
    };
  };
  const broken = plugin('broken', 1, { bodyFilter: () => ({ write: watched(filter.write), end: watched(filter.end) }) });
  const own = plugin('own', 2, { access: () => ({ status: 200, headers: [], body: 'own', reason: undefined }) });
  const node = { host: '127.0.0.1', port: await startUpstream(t), weight: 1 };
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: { nodes: [node] } } },
      routes: {
        a: { name: 'a', service_id: 's', paths: ['/a'], plugins: { broken: {} } },
        own: { name: 'own', service_id: 's', paths: ['/own'], plugins: { broken: {}, own: {} } },
        other: { name: 'other', service_id: 's', paths: ['/other'] },
      },
    },
    { plugins: [broken, own], clock, log },
  );
  t.after(() => gateway.close());
  return { gateway, clock, log, begun };
}

for (const [route, path] of [
  ['a', '/a'],
  ['own', '/own'],
] as const) {
  for (const [name, filter] of Object.entries(BROKEN)) {
    test(`a body filter whose ${name} costs its request on ${path} a 500, and one line of the log names it`, async (t) => {
      const { gateway, log } = await serveFiltered(t, filter);
      const answer = await gateway.fetch(get(path));
      assert.deepEqual([answer.status, await answer.text()], [500, '{"error_msg":"internal error"}\n']);
      const errors = log.lines.filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map(({ message, fields }) => [message, fields?.plugin, fields?.phase, fields?.route]),
        [['a plugin failed', 'broken', 'bodyFilter', route]],
      );
    });
  }

  for (const [name, filter] of Object.entries(HANGING)) {
    test(`a body filter whose ${name} has failed on ${path} after the deadline of plugins, and others notice nothing`, async (t) => {
      const { gateway, clock, log, begun } = await serveFiltered(t, filter);
      let isAnswered = false;
      const answering = gateway.fetch(get(path)).then((answer) => {
        isAnswered = true;
        return answer;
      });
      await begun;
      // The deadline begins behind the call in which the filter was entered.
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(9_999);
      assert.equal((await gateway.fetch(get('/other'))).status, 200);
      assert.equal(isAnswered, false);
      clock.advance(1);
      assert.equal((await answering).status, 500);
      const errors = log.lines.filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map(({ fields }) => [fields?.plugin, fields?.phase, fields?.route]),
        [['broken', 'bodyFilter', route]],
      );
    });
  }
}
