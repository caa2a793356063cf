import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsItem } from '../../schema/index.ts';
import { TicketKeys } from './ticket-keys.ts';
import { TlsItems } from './tls-items.ts';

type HostItem = Extract<TlsItem, { readonly kind: 'host' }>;

const RULES = { authority: 'ca', authorityIds: [], depth: 1, skippedPaths: [] };

function host(names: readonly string[], cert: string, client?: HostItem['client']): HostItem {
  return {
    kind: 'host',
    names,
    pairs: [{ cert, key: 'key' }],
    certificateIds: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    client,
  };
}

test('renewing a certificate changes no policy; other names do so beside a strict host, and other rules always', () => {
  const items = new TlsItems({
    fallbackName: undefined,
    ticketKeys: new TicketKeys(Buffer.alloc(32)),
    nowMs: () => 0,
    onProblem: () => {},
  });
  const changes = (key: string, item: TlsItem | undefined): boolean => {
    const prepared = items.prepare(new Map([[key, item]]));
    items.commit(prepared);
    return prepared.changesPolicies;
  };
  assert.equal(changes('ssl/open', host(['a'], 'one')), false);
  assert.equal(changes('ssl/open', host(['b'], 'one')), false);
  assert.equal(changes('ssl/strict', host(['*.c'], 'one', RULES)), true);
  assert.equal(changes('ssl/strict', host(['*.c'], 'two', RULES)), false);
  assert.equal(changes('ssl/open', host(['b'], 'two')), false);
  assert.equal(changes('ssl/open', host(['b.c'], 'two')), true);
  assert.equal(changes('ssl/open', undefined), true);
  assert.equal(changes('ssl/strict', host(['*.c'], 'two', { ...RULES, depth: 2 })), true);
  assert.equal(changes('ssl/strict', undefined), true);
  assert.equal(changes('ssl/open', host(['b.c'], 'two')), false);
});
