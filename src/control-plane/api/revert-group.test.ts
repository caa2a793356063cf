import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../lib/json.ts';
import { RESOURCE_KINDS } from '../../schema/index.ts';
import type { ResourceWrite } from '../../store/index.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

/** What the model knows of one resource: what it is, and since which revision it has the secret it has. */
interface Known {
  readonly document: JsonObject;
  readonly secret: string | undefined;
  readonly since: number;
  readonly isDisabled: boolean;
}
type State = ReadonlyMap<string, Known>;

type Operation =
  | { readonly op: 'put'; readonly name: string; readonly text: number; readonly secret: number; readonly isDisabled: boolean }
  | { readonly op: 'delete'; readonly name: string };

/** Paths of the resources that the sequences are about, by their kind. */
const NAMES = ['services/a', 'services/b', 'routes/r', 'routes/q', 'consumers/x', 'consumers/y', 'secret_providers/vault/1'];
const CREDENTIALS = ['consumers/x/credentials/1', 'consumers/x/credentials/2', 'consumers/y/credentials/1'];

const operations = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('put' as const),
        name: fc.constantFrom(...NAMES, ...CREDENTIALS, ...CREDENTIALS),
        text: fc.nat(2),
        secret: fc.nat(1),
        isDisabled: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), name: fc.constantFrom(...NAMES, ...CREDENTIALS) }) },
  ),
  { minLength: 4, maxLength: 30 },
);

function bodyOf(operation: Operation & { readonly op: 'put' }): { readonly body: JsonObject; readonly secret: string | undefined } {
  const { name, text, isDisabled } = operation;
  const [collection, id = ''] = name.split('/');
  if (name.includes('credentials')) {
    // Each its own: a key that two want is another test's business.
    const secret = `key ${operation.secret} of ${name}`;
    return { body: { desc: `${text}`, plugins: { 'key-auth': { key: secret, _meta: { disable: isDisabled } } } }, secret };
  }
  if (collection === 'consumers') return { body: { username: id, desc: `${text}` }, secret: undefined };
  if (collection === 'services') return { body: { name: id, desc: `${text}`, strip_path_prefix: true }, secret: undefined };
  if (collection === 'routes') {
    return { body: { name: id, service_id: text === 0 ? 'a' : 'b', paths: ['/x'], priority: 0 }, secret: undefined };
  }
  const secret = `token ${operation.secret}`;
  return { body: { uri: 'https://vault.example', prefix: `p${text}`, token: secret }, secret };
}

/** What the answer to "as it was at `then`" must be, told resource by resource. */
function expectedAfter(then: State, now: State): Map<string, JsonObject> {
  const expected = new Map<string, JsonObject>();
  for (const name of new Set([...then.keys(), ...now.keys()])) {
    const [before, current] = [then.get(name), now.get(name)];
    if (before === undefined) continue;
    const isSameSecret = before.secret === undefined || (current?.secret === before.secret && current.since === before.since);
    const isEnded = name.includes('credentials') && current?.isDisabled === true && !before.isDisabled;
    const stays = !isSameSecret || isEnded ? current : before;
    if (stays !== undefined) expected.set(name, stays.document);
  }
  return expected;
}

async function stateOf(admin: AdminFixture, groupId: string): Promise<Map<string, JsonObject>> {
  const found = new Map<string, JsonObject>();
  for (const resource of await admin.store.pageOfResources(groupId, undefined, 1_000, { secrets: 'include' })) {
    const { kind, parentId, id } = resource.key;
    const collection = RESOURCE_KINDS.find(({ name }) => name === kind)?.collection;
    found.set(parentId === '' ? `${collection}/${id}` : `consumers/${parentId}/${collection}/${id}`, resource.document);
  }
  return found;
}

/** Applies one operation to the product and to the model. */
async function step(admin: AdminFixture, groupId: string, model: Map<string, Known>, operation: Operation): Promise<number | undefined> {
  const url = `/apisix/admin/${operation.name}?gateway_group_id=${groupId}`;
  if (operation.op === 'delete') {
    const answer = await admin.send('DELETE', url);
    assert.equal(answer.status, model.has(operation.name) ? 200 : 404, operation.name);
    if (answer.status !== 200) return undefined;
    const [collection, id] = operation.name.split('/');
    model.delete(operation.name);
    for (const [name, known] of model) {
      const isOwned = collection === 'services' && name.startsWith('routes/') && known.document.service_id === id;
      if (isOwned || name.startsWith(`${operation.name}/`)) model.delete(name);
    }
    return Number(answer.headers['portcullis-revision']);
  }
  const { body, secret } = bodyOf(operation);
  const answer = await admin.send('PUT', url, { body });
  const parent = /^(consumers\/\w+)\/credentials/.exec(operation.name)?.[1];
  assert.equal(answer.status, parent !== undefined && !model.has(parent) ? 404 : 200, answer.text);
  if (answer.status !== 200) return undefined;
  const revision = Number(answer.headers['portcullis-revision']);
  const old = model.get(operation.name);
  const since = old !== undefined && old.secret === secret ? old.since : revision;
  const isDisabled = operation.name.includes('credentials') && operation.isDisabled;
  model.set(operation.name, { document: body, secret, since, isDisabled });
  return revision;
}

test('after any history, a revert to any revision gives that state, less ended credentials and secrets that are gone', async (t) => {
  const admin = await makeAdminFixture(t);
  let group = 0;
  await fc.assert(
    fc.asyncProperty(operations, fc.infiniteStream(fc.nat(1_000)), async (sequence, choices) => {
      const groupId = `g${group++}`;
      await admin.store.transaction({ id: 'system', name: 'system' }, (transaction) =>
        transaction.putGroup({ id: groupId, name: groupId, description: '' }),
      );
      const model = new Map<string, Known>();
      const states: State[] = [new Map()];
      for (const operation of sequence) {
        const revision = await step(admin, groupId, model, operation);
        if (revision !== undefined) states[revision] = new Map(model);
      }
      const target = (choices.next().value ?? 0) % states.length;
      const expected = expectedAfter(states[target] ?? new Map(), model);
      const answer = await admin.send('POST', `/api/gateway_groups/${groupId}/revert`, { body: { revision: target } });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(await stateOf(admin, groupId), expected);
      // Everything that is now not as it was then is told.
      const then = states[target] ?? new Map<string, Known>();
      const different = [...then].filter(([name, { document }]) => JSON.stringify(expected.get(name)) !== JSON.stringify(document));
      assert.equal(answer.body.left_out_count >= different.length, true);
    }),
    { numRuns: 30, endOnFailure: true },
  );
});

test('many changed resources come back in one revision, while the process goes on', async (t) => {
  // A server that is asked over a socket takes its time for each.
  const count = process.env.PORTCULLIS_TEST_STORE === 'postgres' ? 300 : 10_000;
  const admin = await makeAdminFixture(t);
  const write = (index: number, desc: string): ResourceWrite => ({
    key: { groupId: 'default', kind: 'service', parentId: '', id: `s${index}` },
    document: { name: `s${index}`, desc },
    secretPointers: [],
    unique: [],
    owner: undefined,
  });
  const author = { id: 'system', name: 'system' };
  const writeAll = (desc: string): Promise<void> =>
    admin.store.transaction(author, async (transaction) => {
      for (let index = 0; index < count; index += 1) await transaction.putResource(write(index, desc));
    });
  await writeAll('one');
  await writeAll('two');
  let turns = 0;
  let isOver = false;
  const takeTurn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(takeTurn);
  };
  takeTurn();
  const answer = await admin.send('POST', '/api/gateway_groups/default/revert', { body: { revision: 1 } });
  isOver = true;
  assert.deepEqual([answer.status, answer.body.restored_count, answer.body.restored.length], [200, count, Math.min(count, 1_000)]);
  assert.ok(turns > 100, 'the loop gets its turns');
  const services = await admin.store.listResources({ groupId: 'default', kind: 'service' });
  assert.deepEqual(new Set(services.map(({ document, revision }) => `${String(document.desc)} ${revision}`)), new Set(['one 3']));
});
