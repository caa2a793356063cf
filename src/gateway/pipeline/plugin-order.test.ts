import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../lib/json.ts';
import type { AnyPlugin, ConsumerMatch } from '../../plugin-kit/index.ts';
import { readPlugins } from '../runtime/read-settings.ts';
import { startPipeline } from '../testing/test-pipeline.ts';
import { globalRuleChange, routeChange, serviceChange, testPlugin } from '../testing/test-runtime.ts';

/** What one object says of one plugin. */
interface Placement {
  readonly disabled: boolean;
  readonly priority: number | undefined;
}

type Placements = Readonly<Record<string, Placement>>;

interface Model {
  readonly global: Placements;
  readonly service: Placements;
  readonly route: Placements;
  readonly consumer: Placements;
}

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const OWN_PRIORITY: Readonly<Record<string, number>> = { a: 5, b: 4, c: 3, d: 2, e: 1 };

const placementArbitrary: fc.Arbitrary<Placement> = fc.record({
  disabled: fc.boolean(),
  priority: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
});
const placementsArbitrary = fc.dictionary(fc.constantFrom(...NAMES), placementArbitrary, { maxKeys: 4 });
const modelArbitrary: fc.Arbitrary<Model> = fc.record({
  global: placementsArbitrary,
  service: placementsArbitrary,
  route: placementsArbitrary,
  consumer: placementsArbitrary,
});

/** What `plugins` of an object is; `where` tells the traces of two configurations of a plugin apart. */
function pluginsOf(placements: Placements, where: string): JsonObject {
  return Object.fromEntries(
    Object.entries(placements).map(([name, { disabled, priority }]) => [
      name,
      { where, _meta: { ...(disabled ? { disable: true } : {}), ...(priority === undefined ? {} : { priority }) } },
    ]),
  );
}

/** The plain model: plugins of one list by priority, names in between, and what runs of them. */
function sorted(placements: ReadonlyMap<string, { readonly where: string; readonly placement: Placement }>): readonly string[] {
  const priorityOf = (name: string, placement: Placement): number =>
    placement.disabled ? (placement.priority ?? OWN_PRIORITY[name] ?? 0) : (placement.priority ?? OWN_PRIORITY[name] ?? 0);
  return [...placements]
    .filter(([, { placement }]) => !placement.disabled)
    .sort(([one, a], [other, b]) => priorityOf(other, b.placement) - priorityOf(one, a.placement) || (one < other ? -1 : 1))
    .map(([name, { where }]) => `${where}.${name}`);
}

function placed(placements: Placements, where: string): ReadonlyMap<string, { readonly where: string; readonly placement: Placement }> {
  return new Map(Object.entries(placements).map(([name, placement]) => [name, { where, placement }]));
}

function expectedTrace(model: Model): readonly string[] {
  const global = sorted(placed(model.global, 'global'));
  const merged = new Map([...placed(model.service, 'service'), ...placed(model.route, 'route')]);
  const withConsumer = new Map([...merged, ...placed(model.consumer, 'consumer')]);
  const consumerOnly = sorted(new Map([...placed(model.consumer, 'consumer')].filter(([name]) => !merged.has(name))));
  const own = sorted(merged);
  const later = sorted(withConsumer);
  const phase = (name: string, list: readonly string[]): readonly string[] => list.map((each) => `${name} ${each}`);
  return [
    ...phase('rewrite', global),
    ...phase('rewrite', own),
    ...phase('rewrite', consumerOnly),
    ...phase('access', global),
    ...phase('access', later),
    ...phase('beforeProxy', global),
    ...phase('beforeProxy', later),
    ...phase('log', global),
    ...phase('log', later),
  ];
}

function tracing(trace: string[]): readonly AnyPlugin[] {
  return NAMES.map((name) =>
    testPlugin(name, OWN_PRIORITY[name] ?? 0, (configuration) => {
      const note = (phase: string) => (): undefined => void trace.push(`${phase} ${String(configuration.where)}.${name}`);
      return { rewrite: note('rewrite'), access: note('access'), beforeProxy: note('beforeProxy'), log: note('log') };
    }),
  );
}

/** Attaches the consumer before anything else, as an authentication plugin does. */
function authenticating(consumer: ConsumerMatch): AnyPlugin {
  return testPlugin('auth', 1000, { rewrite: (request) => void request.attachConsumer(consumer) });
}

test('merge order, priorities and phases are those of a plain model, whatever stands where', async () => {
  await fc.assert(
    fc.asyncProperty(modelArbitrary, async (model) => {
      const trace: string[] = [];
      const plugins = tracing(trace);
      const read = readPlugins(new Map(Object.entries(pluginsOf(model.consumer, 'consumer'))), plugins);
      const consumer = { username: 'jack', customId: undefined, credentialId: 'c', pluginsText: JSON.stringify([...read]) };
      const { ask, finish } = await startPipeline(
        [
          globalRuleChange('g', pluginsOf(model.global, 'global')),
          serviceChange({ plugins: pluginsOf(model.service, 'service') }),
          routeChange('r', ['/a'], { plugins: { ...pluginsOf(model.route, 'route'), auth: {} } }),
        ],
        [...plugins, authenticating(consumer)],
      );
      const exchange = ask('GET /a');
      assert.ok(exchange.plan !== undefined);
      finish(exchange);
      assert.deepEqual(trace, expectedTrace(model));
    }),
    { numRuns: 200 },
  );
});

test('an answer of a plugin ends the phases before the request leaves, and the log still runs', async () => {
  const trace: string[] = [];
  const note = (text: string) => (): undefined => void trace.push(text);
  const { ask, finish } = await startPipeline(
    [serviceChange(), routeChange('r', ['/a'], { plugins: { first: {}, stop: {}, last: {} } })],
    [
      testPlugin('first', 3, { rewrite: note('first rewrite'), access: note('first access'), log: note('first log') }),
      testPlugin('stop', 2, { access: () => ({ status: 418, headers: [], body: 'tea', reason: undefined }), log: note('stop log') }),
      testPlugin('last', 1, { rewrite: note('last rewrite'), access: note('last access'), log: note('last log') }),
    ],
  );
  const exchange = ask('GET /a');
  assert.equal(exchange.answer?.status, 418);
  finish(exchange);
  assert.deepEqual(trace, ['first rewrite', 'last rewrite', 'first access', 'first log', 'stop log', 'last log']);
});
