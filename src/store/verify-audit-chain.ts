import { CHAIN_START, type ChainEnd, hashOfEntry } from './audit-chain.ts';
import type { ChainedEntry, KeptChainEnd, StoreHistory } from './history.ts';

/** One thing that is wrong with the audit log. */
export type ChainBreak =
  /** The entry is not as it was written. */
  | { readonly kind: 'changed'; readonly number: number }
  /** The entry does not follow the one that now stands before it (0: the beginning): one between them is gone, was added or changed. */
  | { readonly kind: 'gap'; readonly number: number; readonly after: number }
  /** The log begins with this entry, which cannot be its first: all before it was removed, and with it the chain's end. */
  | { readonly kind: 'beginning'; readonly number: number }
  /** Written without a place in the chain: by older software, or past the product. */
  | { readonly kind: 'unchained'; readonly number: number }
  /** Stands after the end that was kept. */
  | { readonly kind: 'beyond'; readonly number: number }
  /** The log does not end with the entry that was appended last. */
  | { readonly kind: 'end'; readonly last: number; readonly expected: number }
  /** The chain's end, or the place to which retention has come, is not known. */
  | { readonly kind: 'lost'; readonly which: 'head' | 'anchor'; readonly state: 'missing' | 'damaged' }
  /** An end that was noted earlier is not in the chain: the log was replaced as a whole. */
  | { readonly kind: 'noted'; readonly number: number };

/** What a verification found. */
export interface ChainReport {
  /** How many entries were looked at. */
  readonly entries: number;
  readonly head: KeptChainEnd;
  /** Up to where retention took entries away; undefined when it never did. */
  readonly forgottenUpTo: number | undefined;
  /** Empty when the log is whole; at most `MAX_BREAKS`, the first ones. */
  readonly breaks: readonly ChainBreak[];
}

/** Above this many breaks no more are told. */
const MAX_BREAKS = 20;
const ROWS_PER_PAGE = 1_000;
/** Retention may move the beginning of the log while it is read. */
const ATTEMPTS = 3;

type ChainReader = Pick<StoreHistory, 'pageOfChain' | 'readChainEnd'>;

/**
 * Finds every entry of the audit log that was changed, removed, added or moved by anything but the product, and entries missing at the end.
 * The log may be written to meanwhile. Whoever can put back an older end, with the entries up to it, is found only by an end `noted` elsewhere.
 * `founding` is the action of the entry that every log begins with, as long as retention took nothing away.
 */
export async function verifyAuditChain(
  history: ChainReader,
  { noted, founding }: { readonly noted?: ChainEnd | undefined; readonly founding?: string } = {},
): Promise<ChainReport> {
  for (let attempt = 1; ; attempt += 1) {
    const anchor = await history.readChainEnd('anchor');
    const report = await new Verification(history, anchor, noted, founding).run();
    if (report.breaks.length === 0 || attempt === ATTEMPTS || isSameEnd(anchor, await history.readChainEnd('anchor'))) return report;
  }
}

class Verification {
  readonly #history: ChainReader;
  readonly #anchor: KeptChainEnd;
  readonly #noted: ChainEnd | undefined;
  readonly #founding: string | undefined;
  readonly #breaks: ChainBreak[] = [];
  #last: ChainEnd;
  /** Of the last row, chained or not. */
  #read: number;
  #entries = 0;
  #notedIsFound: boolean;

  constructor(history: ChainReader, anchor: KeptChainEnd, noted: ChainEnd | undefined, founding: string | undefined) {
    this.#history = history;
    // What retention took away may have begun with anything.
    this.#founding = anchor === 'missing' ? founding : undefined;
    this.#anchor = anchor;
    this.#noted = noted;
    this.#last = typeof anchor === 'string' ? { number: 0, hash: CHAIN_START } : anchor;
    this.#read = this.#last.number;
    // What retention took away cannot be compared any more.
    this.#notedIsFound = noted === undefined || noted.number < this.#last.number || isSameEnd(noted, this.#last);
  }

  async run(): Promise<ChainReport> {
    if (this.#anchor === 'damaged') this.#add({ kind: 'lost', which: 'anchor', state: 'damaged' });
    let head = await this.#history.readChainEnd('head');
    for (;;) {
      await this.#readUpTo(typeof head === 'string' ? Number.MAX_SAFE_INTEGER : head.number);
      const current = await this.#history.readChainEnd('head');
      if (isSameEnd(head, current) || typeof head === 'string') break;
      head = current;
    }
    if (typeof head === 'string') this.#add({ kind: 'lost', which: 'head', state: head });
    else if (!isSameEnd(head, this.#last)) this.#add({ kind: 'end', last: this.#last.number, expected: head.number });
    if (typeof head !== 'string') await this.#findBeyond(head);
    if (this.#noted !== undefined && !this.#notedIsFound) this.#add({ kind: 'noted', number: this.#noted.number });
    const forgottenUpTo = typeof this.#anchor === 'string' ? undefined : this.#anchor.number;
    return { entries: this.#entries, head, forgottenUpTo, breaks: this.#breaks };
  }

  async #readUpTo(number: number): Promise<void> {
    for (;;) {
      const page = await this.#history.pageOfChain(this.#read, ROWS_PER_PAGE);
      for (const entry of page) {
        if (entry.columns.number > number) return;
        this.#examine(entry);
      }
      if (page.length < ROWS_PER_PAGE) return;
    }
  }

  #examine({ columns, previousHash, hash }: ChainedEntry): void {
    const { number } = columns;
    if (this.#entries === 0 && this.#founding !== undefined && columns.action !== this.#founding) this.#add({ kind: 'beginning', number });
    this.#entries += 1;
    this.#read = number;
    if (hash === undefined || previousHash === undefined) {
      this.#add({ kind: 'unchained', number });
      return;
    }
    if (!hash.equals(hashOfEntry(previousHash, columns))) this.#add({ kind: 'changed', number });
    if (!previousHash.equals(this.#last.hash)) this.#add({ kind: 'gap', number, after: this.#last.number });
    this.#last = { number, hash };
    if (this.#noted !== undefined && isSameEnd(this.#noted, this.#last)) this.#notedIsFound = true;
  }

  async #findBeyond(head: ChainEnd): Promise<void> {
    const beyond = await this.#history.pageOfChain(head.number, MAX_BREAKS);
    // Appended by the product since the end was read: then there is a new end.
    if (!isSameEnd(head, await this.#history.readChainEnd('head'))) return;
    for (const { columns } of beyond) this.#add({ kind: 'beyond', number: columns.number });
  }

  #add(found: ChainBreak): void {
    if (this.#breaks.length < MAX_BREAKS) this.#breaks.push(found);
  }
}

function isSameEnd(one: KeptChainEnd, other: KeptChainEnd): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return one.number === other.number && one.hash.equals(other.hash);
}
