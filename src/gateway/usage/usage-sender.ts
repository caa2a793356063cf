import {
  MAX_USAGE_ENTRIES_PER_BATCH,
  UsageBatch,
  type UsageEntry,
  type UsageLink,
  type UsageReport,
  usageParts,
  usageTuple,
} from '../../distribution/gateway-side.ts';

/** What a sender is made with. */
export interface UsageSenderOptions {
  /** Of this process, chosen at random. */
  readonly epoch: string;
  /** More is counted before the control plane would write by itself: what is told is to be written soon. */
  readonly isHasty: boolean;
  readonly yieldTurn: () => Promise<void>;
}

/**
 * Requests that a portion may hold however few an interval has brought so far: a gateway with little to do would otherwise divide a day of
 * outage into thousands of portions, each with a write of its own.
 */
const LEAST_PORTION = 1000;

/** A portion that was sent, and by which link. */
interface Awaited {
  readonly link: UsageLink;
  /** Of its last report. */
  readonly sequence: number;
}

/**
 * Passes on what was counted, in portions: each holds at most as many requests as the fullest interval of this process, and the next one is
 * sent when the control plane has written it. So what is lost with a link or a control plane is never more than one interval's counts,
 * however long there was none. What was sent is never sent again, because it may have been written: nothing is counted twice.
 *
 * What waits is added up in one batch of bounded size. A control plane that acknowledges nothing gets all of it at once.
 */
export class UsageSender {
  readonly #options: UsageSenderOptions;
  readonly #pending = new UsageBatch(MAX_USAGE_ENTRIES_PER_BATCH);
  #sequence = 0;
  #countedInInterval = 0;
  #mostOfPortion = LEAST_PORTION;
  /** An interval is over since the last portion. */
  #isDue = false;
  #awaited: Awaited | undefined;
  /** The last portion was not all that there was. */
  #hasMore = false;

  constructor(options: UsageSenderOptions) {
    this.#options = options;
  }

  /** There is more than one interval's counts to send, and somebody who takes it. */
  get isDraining(): boolean {
    return this.#awaited !== undefined && this.#hasMore;
  }

  add(entry: UsageEntry): void {
    this.#countedInInterval += entry.requests;
    this.#pending.add(entry);
  }

  endInterval(): void {
    this.#mostOfPortion = Math.max(this.#mostOfPortion, this.#countedInInterval);
    this.#countedInInterval = 0;
    this.#isDue = true;
  }

  /** Sends what may be sent now. `link`: the connection that there is. */
  async proceed(link: UsageLink | undefined): Promise<void> {
    const awaited = this.#awaited;
    // Written or not: it is forgotten. The next one waits for its interval, so that a link which breaks all the time takes no more than its time.
    if (awaited !== undefined && awaited.link !== link) this.#forget();
    else if (awaited !== undefined && awaited.link.kept >= awaited.sequence) this.#noteKept();
    if (link === undefined || !this.#isDue || this.#awaited !== undefined) return;
    this.#isDue = false;
    if (!link.acknowledges) return this.sendAll(link);
    const sequence = await this.#send(link, this.#pending.takePortion(this.#mostOfPortion), () => this.#asks());
    this.#hasMore = this.#pending.requests > 0;
    if (sequence !== undefined) this.#awaited = { link, sequence };
  }

  /** Sends everything and waits for nothing. */
  async sendAll(link: UsageLink | undefined): Promise<void> {
    if (link !== undefined) await this.#send(link, this.#pending.takePortion(), () => ({}));
  }

  #forget(): void {
    this.#awaited = undefined;
    this.#isDue = false;
  }

  #noteKept(): void {
    this.#awaited = undefined;
    this.#isDue ||= this.#hasMore;
  }

  #asks(): Pick<UsageReport, 'soon'> {
    return this.#options.isHasty || this.#pending.requests > 0 ? { soon: true } : {};
  }

  /** @returns the number of the last report that was sent, if any was; what could not be sent waits on. `asks`: what the last one asks for */
  async #send(link: UsageLink, entries: readonly UsageEntry[], asks: () => Pick<UsageReport, 'soon'>): Promise<number | undefined> {
    const { epoch, yieldTurn } = this.#options;
    const parts = [...usageParts(entries)];
    let sent: number | undefined;
    let isTaken = true;
    for (const [index, part] of parts.entries()) {
      if (isTaken) {
        const asked = index === parts.length - 1 ? asks() : {};
        isTaken = link.send({ epoch, sequence: this.#sequence + 1, entries: part.map(usageTuple), ...asked });
        if (isTaken) sent = ++this.#sequence;
      }
      if (!isTaken) for (const entry of part) this.#pending.add(entry);
      await yieldTurn();
    }
    return sent;
  }
}
