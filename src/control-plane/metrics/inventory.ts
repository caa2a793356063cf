import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/index.ts';
import type { InstanceRegistry, Store, StoreHistory } from '../../store/index.ts';
import { instanceStatus } from '../instance-status.ts';
import { repeat } from '../repeat.ts';

/** A group as scrapers see it. */
export interface CountedGroup {
  readonly groupId: string;
  readonly revision: number;
  /** How many gateways are in each state. */
  readonly instances: ReadonlyMap<string, number>;
}

/** What the store said when it was last asked, so that no scrape waits for it. */
export interface Inventory {
  readonly groups: readonly CountedGroup[];
  /** Undefined before it was first asked, and while it is encrypted with a key that the keyring lacks: nothing can be said of it then. */
  readonly auditHead: AuditHead | undefined;
  /** The keyring lacks the key with which something was written last. Undefined before the store was first asked. */
  readonly lacksKey: boolean | undefined;
  readonly isReachable: boolean;
  /** How long the first question took. */
  readonly readMs: number;
  readonly failures: number;
}

type AuditHead = Awaited<ReturnType<StoreHistory['readChainEnd']>>;

const READ_INTERVAL_MS = 15_000;
/** Groups whose gateways are counted. */
const MAX_GROUPS = 200;

/** Asks the store now and then what scrapers want to know. */
export class InventoryReader {
  readonly #options: InventoryReaderOptions;
  #inventory: Inventory = { groups: [], auditHead: undefined, lacksKey: undefined, isReachable: false, readMs: 0, failures: 0 };
  #stop: () => Promise<void> = async () => undefined;

  constructor(options: InventoryReaderOptions) {
    this.#options = options;
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  start(): void {
    this.#stop = repeat(this.#options.clock, READ_INTERVAL_MS, () => this.read(), { atOnce: true });
  }

  /** Resolves when nothing is being read any more. */
  stop(): Promise<void> {
    return this.#stop();
  }

  /** Never rejects. */
  async read(): Promise<void> {
    const { store, registry, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const groups = (await store.listGroups()).slice(0, MAX_GROUPS);
      const readMs = clock.monotonicMs() - startedMs;
      const counted: CountedGroup[] = [];
      for (const { id, revision } of groups) {
        const instances = new Map<string, number>();
        for (const instance of await registry.list(id)) {
          const status = instanceStatus(instance);
          instances.set(status, (instances.get(status) ?? 0) + 1);
        }
        counted.push({ groupId: id, revision, instances });
      }
      const auditHead = await readAuditHead(store);
      this.#inventory = { ...this.#inventory, groups: counted, auditHead, lacksKey: auditHead === undefined, isReachable: true, readMs };
    } catch (error) {
      if (this.#inventory.isReachable) log.warn('the store did not answer what metrics need', { cause: messageOf(error) });
      this.#inventory = { ...this.#inventory, isReachable: false, failures: this.#inventory.failures + 1 };
    }
  }
}

/** Undefined while it is encrypted with a key that the keyring lacks. */
async function readAuditHead(store: Pick<StoreHistory, 'readChainEnd'>): Promise<AuditHead | undefined> {
  try {
    return await store.readChainEnd('head');
  } catch (error) {
    if (error instanceof PortcullisError && error.reason === 'keyring_lacks_key') return undefined;
    throw error;
  }
}

/** Whom it asks. */
export interface InventoryReaderOptions {
  readonly store: Pick<Store & StoreHistory, 'listGroups' | 'readChainEnd'>;
  readonly registry: Pick<InstanceRegistry, 'list'>;
  readonly clock: Clock;
  readonly log: Logger;
}
