import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { Clock } from '../../lib/clock.ts';
import type { StoreHistory } from '../history.ts';
import type { StoreKeys } from '../keys/index.ts';
import type { Store } from '../store.ts';
import type { StoreUsage } from '../usage.ts';

/** Opens one more store on the same database. */
export type OpenStore = () => Promise<Store & StoreHistory & StoreUsage & StoreKeys>;

/** Makes an empty database that is gone, with all stores on it, when the test ends. */
export type MakeDatabase = (test: TestContext, clock: Clock) => Promise<OpenStore>;

/** An open store with the group `default` in it. */
export interface TestBed {
  readonly store: Store & StoreHistory & StoreUsage & StoreKeys;
  readonly clock: FakeClock;
  readonly open: OpenStore;
}

export async function makeTestBed(test: TestContext, makeDatabase: MakeDatabase): Promise<TestBed> {
  const clock = new FakeClock();
  const open = await makeDatabase(test, clock);
  const store = await open();
  await store.transaction({ id: 'system', name: 'system' }, (transaction) =>
    transaction.putGroup({ id: 'default', name: 'default', description: '' }),
  );
  return { store, clock, open };
}
