import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../lib/clock.ts';
import { addKey, type ChangeKeysOptions, reEncrypt, retireKey, rotateKey, surveyKeys } from '../keys/index.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { type MakeDatabase, makeTestBed, type TestBed } from './fresh-database.ts';
import { AUTHOR, credentialWrite, keyOf, putAll, serviceWrite } from './sample-writes.ts';

type OpenedStore = TestBed['store'];

/** Keys are changed while the store is used, and nothing of it is seen but in its ciphertexts. */
export function keyContract(makeDatabase: MakeDatabase): void {
  test('a rotation encrypts every secret anew, and changes nothing that can be read', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 250);
    const former = currentOf(await surveyKeys(changing(store)));
    const before = await readAll(store);
    const done = await rotateKey({ ...changing(store), waitMs: 0 });
    assert.notEqual(done.keyId, former);
    assert.deepEqual([done.values >= 252, done.damaged, done.isResumed], [true, [], false]);
    assert.deepEqual(await readAll(store), before);
    const { state, uses } = await surveyKeys(changing(store));
    assert.deepEqual([...uses.keys()], [done.keyId]);
    assert.deepEqual([state.current, state.isUnfinished, state.coming], [done.keyId, false, undefined]);
    assert.deepEqual(await readAll(await open()), before);
    assert.deepEqual((await verifyAuditChain(store)).breaks, []);
    const actions = (await store.pageOfAudit(undefined, 10)).map(({ action, resource }) => [action, resource]);
    assert.deepEqual(actions.toReversed(), [
      ['keyring.add', done.keyId],
      ['keyring.use', done.keyId],
      ['keyring.re_encrypt', done.keyId],
    ]);
  });

  test('a store that was open all the time encrypts with the new key as soon as that is in use', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const [operator, other] = [await open(), await open()];
    await putAll(other, serviceWrite('s', { name: 's' }), credentialWrite('alice', 'c1', 'first'));
    const { keyId } = await rotateKey({ ...changing(operator), waitMs: 0 });
    await putAll(other, credentialWrite('alice', 'c2', 'second'));
    assert.equal(await keyOfCredential(store, 'c1'), 'first');
    assert.equal(await keyOfCredential(store, 'c2'), 'second');
    assert.deepEqual([...(await surveyKeys(changing(store))).uses.keys()], [keyId]);
  });

  test('a key is not retired while it encrypts or anything is encrypted with it, and never encrypts again afterwards', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 1);
    const former = currentOf(await surveyKeys(changing(store)));
    await assert.rejects(retireKey({ ...changing(store), keyId: former }), /is the one that encrypts: run portcullis keyring rotate/);
    await assert.rejects(retireKey({ ...changing(store), keyId: 'none' }), /There is no key none/);
    await cutOff(store, 2);
    await assert.rejects(
      retireKey({ ...changing(store), keyId: former }),
      /\d values are still encrypted with the key [0-9a-f]+ \(1 in resources, 1 in records, 2 in settings; one is credential alice\/c0 in default\)/,
    );
    await rotateKey({ ...changing(store), waitMs: 0 });
    await retireKey({ ...changing(store), keyId: former });
    await retireKey({ ...changing(store), keyId: former });
    const file = JSON.parse(await readFile(store.keys.keyring.file, 'utf8'));
    assert.equal(file.keys.length, 1);
    // Put back by mistake, it is there again and not used.
    const after = await open();
    const returned = [{ id: former, key: Buffer.alloc(32, 7).toString('base64') }, ...file.keys];
    await writeFile(store.keys.keyring.file, JSON.stringify({ version: 1, keys: returned }));
    const { keyId } = await rotateKey({ ...changing(await open()), waitMs: 0 });
    assert.notEqual(keyId, former);
    assert.deepEqual(await readAll(after), await readAll(store));
    assert.equal((await surveyKeys(changing(after))).uses.has(former), false);
  });

  test('a rotation that was cut off at any step is finished by the next one, with the same key', async (context) => {
    for (const steps of [1, 2, 3, 4, 5]) {
      const { store } = await makeTestBed(context, makeDatabase);
      await fill(store, 230);
      const before = await readAll(store);
      await cutOff(store, steps);
      assert.deepEqual(await readAll(store), before);
      const begun = (await surveyKeys(changing(store))).inFile.length;
      const done = await rotateKey({ ...changing(store), waitMs: 0 });
      const { state, uses, inFile } = await surveyKeys(changing(store));
      assert.deepEqual([begun, inFile.length, [...uses.keys()], state.isUnfinished], [2, 2, [done.keyId], false], `after ${steps} steps`);
      assert.deepEqual(await readAll(store), before);
    }
  });

  test('a process whose keyring lacks the key in use writes nothing, says so, and goes on when it has it', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 1);
    const away = await open();
    const { file } = store.keys.keyring;
    const old = await readFile(file, 'utf8');
    const operator = await open();
    await rotateKey({ ...changing(operator), waitMs: 0 });
    const complete = await readFile(file, 'utf8');
    await writeFile(file, old);
    const lacking = { reason: 'keyring_lacks_key', message: /lacks the key "[0-9a-f]+", so nothing can be written: put the keyring/ };
    await assert.rejects(putAll(away, credentialWrite('alice', 'c9', 'late')), lacking);
    await assert.rejects(away.getResource(keyOf('credential', 'c0', 'alice')), { reason: 'keyring_lacks_key' });
    await assert.rejects(open(), { name: 'StartError', message: /lacks the key [0-9a-f]+, with which/ });
    await writeFile(file, complete);
    await putAll(away, credentialWrite('alice', 'c9', 'late'));
    assert.equal(await keyOfCredential(away, 'c0'), 'key-0');
    assert.equal(await keyOfCredential(store, 'c9'), 'late');
    assert.deepEqual((await verifyAuditChain(store)).breaks, []);
  });

  test('a process that lacks the key before the one in use writes nothing, rather than begin another audit chain', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 1);
    const away = await open();
    const operator = await open();
    const { keyId: between } = await rotateKey({ ...changing(operator), waitMs: 0 });
    // The end of the chain is encrypted with the key between until somebody writes.
    await cutOff(operator, 2);
    const { file } = store.keys.keyring;
    const complete = await readFile(file, 'utf8');
    const { keys } = JSON.parse(complete);
    assert.equal(keys.length, 3);
    await writeFile(file, JSON.stringify({ version: 1, keys: keys.filter(({ id }: { id: string }) => id !== between) }));
    const lacking = { reason: 'keyring_lacks_key', message: new RegExp(`lacks the key "${between}"`) };
    await assert.rejects(
      away.transaction(AUTHOR, (transaction) => transaction.appendAudit(ENTRY)),
      lacking,
    );
    await assert.rejects(away.readChainEnd('head'), lacking);
    await assert.rejects(verifyAuditChain(away), lacking);
    await writeFile(file, complete);
    await away.transaction(AUTHOR, (transaction) => transaction.appendAudit(ENTRY));
    assert.deepEqual((await verifyAuditChain(store)).breaks, []);
  });

  test('a key is taken into use only when every control plane has it and all keys that something is still encrypted with', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await cutOff(store, 2);
    await rotateKey({ ...changing(store), waitMs: 0 });
    await addKey({ ...changing(store), replace: false });
    const { inFile, state } = await surveyKeys(changing(store));
    const former = inFile.find(({ id }) => id !== state.current && id !== state.coming?.id);
    const planesKnow = (fingerprints: ReadonlyMap<string, string>): ChangeKeysOptions['store'] => {
      return { ...readingOf(store), keys: { ...store.keys, listPlanes: async () => [{ name: 'far (1)', fingerprints }] } };
    };
    const all = new Map(inFile.map(({ id, fingerprint }) => [id, fingerprint]));
    assert.ok(former !== undefined && all.size === 3);
    for (const id of all.keys()) {
      const lacking = new Map([...all].filter(([each]) => each !== id));
      const wrong = new Map([...all, [id, '0'.repeat(16)]] as const);
      for (const known of [lacking, wrong]) {
        await assert.rejects(
          rotateKey({ ...changing(store), store: planesKnow(known), waitMs: 0 }),
          new RegExp(
            `do not have the key ${id} .*: far \\(1\\)\\. Bring them .* Nothing is encrypted with (?:it|${state.coming?.id}) until then`,
          ),
        );
      }
    }
    assert.equal((await surveyKeys(changing(store))).state.current, state.current);
    assert.equal((await rotateKey({ ...changing(store), store: planesKnow(all), waitMs: 0 })).keyId, state.coming?.id);
  });

  test('a process that has another key under the id of the one in use writes nothing with it', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 1);
    const away = await open();
    const { file } = store.keys.keyring;
    const old: { keys: unknown[] } = JSON.parse(await readFile(file, 'utf8'));
    const { keyId } = await rotateKey({ ...changing(await open()), waitMs: 0 });
    const complete = await readFile(file, 'utf8');
    const mistaken = { id: keyId, key: Buffer.alloc(32, 7).toString('base64') };
    await writeFile(file, JSON.stringify({ version: 1, keys: [...old.keys, mistaken] }));
    const refusal = { reason: 'keyring_lacks_key', message: /has another key under the id/ };
    await assert.rejects(putAll(away, credentialWrite('alice', 'c9', 'late')), refusal);
    await writeFile(file, complete);
    await putAll(await open(), credentialWrite('alice', 'c9', 'late'));
    assert.equal(await keyOfCredential(store, 'c9'), 'late');
  });

  test('a key that an operator has put into the file is used by a rotation, and by nothing before', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await fill(store, 1);
    const former = currentOf(await surveyKeys(changing(store)));
    const { file } = store.keys.keyring;
    const { keys } = JSON.parse(await readFile(file, 'utf8'));
    const own = { id: 'of-2027', key: Buffer.alloc(32, 7).toString('base64'), note: 'kept' };
    await writeFile(file, JSON.stringify({ version: 1, keys: [own, ...keys] }));
    const operator = await open();
    await putAll(operator, credentialWrite('alice', 'c2', 'second'));
    assert.deepEqual([...(await surveyKeys(changing(operator))).uses.keys()], [former]);
    assert.equal((await rotateKey({ ...changing(operator), waitMs: 0 })).keyId, 'of-2027');
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).keys[0], own);
    assert.equal(await keyOfCredential(store, 'c2'), 'second');
  });

  test('a key that was added and got lost is asked for, and given up only by name', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const { file } = store.keys.keyring;
    const old = await readFile(file, 'utf8');
    const first = await addKey({ ...changing(store), replace: false });
    assert.deepEqual(await addKey({ ...changing(store), replace: false }), { ...first, isNew: false });
    await writeFile(file, old);
    const operator = await open();
    await assert.rejects(rotateKey({ ...changing(operator), waitMs: 0 }), /was added already, and the keyring .* lacks it/);
    const second = await addKey({ ...changing(operator), replace: true });
    assert.notEqual(second.id, first.id);
    await retireKey({ ...changing(operator), keyId: second.id });
    assert.equal((await surveyKeys(changing(operator))).state.coming, undefined);
  });

  test('a value that cannot be opened is named, stays as it is, and keeps its key from being retired', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await fill(store, 3);
    const former = currentOf(await surveyKeys(changing(store)));
    const { pageOfSealed } = store.keys;
    const moved: typeof pageOfSealed = async (...asked) =>
      (await pageOfSealed(...asked)).map((row) =>
        row.table === 'resources' && row.key.id === 'c1' ? { ...row, key: keyOf('credential', 'elsewhere', 'alice') } : row,
      );
    const keys = { ...store.keys, pageOfSealed: moved };
    const { damaged } = await rotateKey({ ...changing(store), store: { ...readingOf(store), keys }, waitMs: 0 });
    assert.deepEqual(damaged, ['credential alice/elsewhere in default (/plugins/key-auth/key)']);
    await assert.rejects(
      retireKey({ ...changing(store), keyId: former }),
      /^StartError: 1 values are still encrypted .* which names those that cannot/,
    );
    assert.equal(await keyOfCredential(store, 'c1'), 'key-1');
    assert.equal((await reEncrypt(changing(store))).values, 1);
    await retireKey({ ...changing(store), keyId: former });
  });

  test('writers go on beside a re-encryption, and no write is lost', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const writer = await open();
    await fill(store, 300);
    let isOver = false;
    const written = new Map<string, string>();
    const writing = (async () => {
      for (let round = 0; !isOver; round += 1) {
        const id = `c${(round * 7) % 300}`;
        await putAll(writer, credentialWrite('alice', id, `round-${round}`));
        written.set(id, `round-${round}`);
      }
    })();
    const { keyId } = await rotateKey({ ...changing(store), waitMs: 0 });
    isOver = true;
    await writing;
    assert.ok(written.size > 0);
    for (const [id, key] of written) assert.equal(await keyOfCredential(store, id), key);
    assert.deepEqual([...(await surveyKeys(changing(store))).uses.keys()], [keyId]);
  });
}

const ENTRY = { at: 1, author: AUTHOR, action: 'service.put', groupId: 'default', resource: 'service/s', address: undefined, detail: {} };

function changing(store: OpenedStore): ChangeKeysOptions {
  return { store, author: AUTHOR, clock: systemClock, pause: () => setImmediate() };
}

function currentOf({ state }: Awaited<ReturnType<typeof surveyKeys>>): string {
  return state.current;
}

/** Secrets of every kind. */
async function fill(store: OpenedStore, credentials: number): Promise<void> {
  await putAll(store, ...Array.from({ length: credentials }, (_, index) => credentialWrite('alice', `c${index}`, `key-${index}`)));
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putSetting('salt', Buffer.from('secret'), { secret: true });
    await transaction.putRecord({
      ...{ kind: 'login_option', id: 'l1', ownerId: undefined, name: 'oidc', expiresAt: 0 },
      ...{ document: { client_secret: 'hush', issuer: 'i' }, secretPointers: ['/client_secret'] },
    });
  });
}

async function readAll(store: OpenedStore) {
  return {
    group: await store.getGroup('default'),
    resources: await store.listResources({ groupId: 'default', kind: 'credential' }),
    changes: await store.changesSince('default', 0, { secrets: 'include' }),
    versions: await store.listVersions(keyOf('credential', 'c0', 'alice'), 10),
    salt: (await store.getSetting('salt'))?.toString(),
    record: await store.getRecord('login_option', 'l1', { secrets: true }),
  };
}

async function keyOfCredential(store: OpenedStore, id: string): Promise<unknown> {
  const resource = await store.getResource(keyOf('credential', id, 'alice'));
  return JSON.parse(JSON.stringify(resource?.document)).plugins?.['key-auth']?.key;
}

/** A rotation whose process dies before its transaction after `steps` of them. */
async function cutOff(store: OpenedStore, steps: number): Promise<void> {
  let done = 0;
  const keys: OpenedStore['keys'] = {
    ...store.keys,
    transaction: (author, work) => {
      done += 1;
      if (done > steps) throw new Error('killed');
      return store.keys.transaction(author, work);
    },
  };
  await assert.rejects(rotateKey({ ...changing(store), store: { ...readingOf(store), keys }, waitMs: 0 }), /killed/);
}

function readingOf(store: OpenedStore): Pick<OpenedStore, 'getSetting'> {
  return { getSetting: (name) => store.getSetting(name) };
}
