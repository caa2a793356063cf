import type { Clock } from '../lib/clock.ts';
import { RateLimit } from '../lib/rate-limit.ts';
import { ProtocolError } from './frame-codec.ts';
import type { InstanceName } from './instance-name.ts';

/** A gateway refuses a revision at most once for each write; a minute's worth at once is what a batch of writes may lead to. */
const LOGGED_REFUSALS_PER_SECOND = 1;
const LOGGED_REFUSALS_BURST_SECONDS = 60;
/** Answers that an instance does not owe: a few come when it refuses what is sent to it once more. Each makes work for writes that wait, and for the other control planes. */
const NEEDLESS_ANSWERS_PER_SECOND = 1;
const NEEDLESS_ANSWERS_BURST_SECONDS = 60;
/**
 * Messages of usage and health. The most that a gateway has to tell are 20,000 entries in each of its intervals, of one second at least: with
 * ids of 256 characters these are 340 messages of 48 KiB. Health comes once a second. What has waited, and what is told at a stop, goes at once.
 */
const REPORTS_PER_SECOND = 400;
const REPORTS_BURST_SECONDS = 5;

/** How much instances may say. Counted over all connections of an instance, so that coming back gains nothing. */
export class InstanceMeasure {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #loggedRefusals = new RateLimit(LOGGED_REFUSALS_PER_SECOND, LOGGED_REFUSALS_BURST_SECONDS);
  readonly #needlessAnswers = new RateLimit(NEEDLESS_ANSWERS_PER_SECOND, NEEDLESS_ANSWERS_BURST_SECONDS);
  readonly #reports = new RateLimit(REPORTS_PER_SECOND, REPORTS_BURST_SECONDS);

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** A refusal beyond the limit is counted all the same, and the instance's last one can be asked for. */
  mayLogRefusal(name: InstanceName): boolean {
    return this.#take(this.#loggedRefusals, name);
  }

  /** @throws ProtocolError to one that answers over and over */
  takeNeedlessAnswer(name: InstanceName): void {
    if (!this.#take(this.#needlessAnswers, name)) throw new ProtocolError('the peer answers much more often than it is sent something');
  }

  /** @throws ProtocolError to one that tells more than any gateway has to tell */
  takeReport(name: InstanceName): void {
    if (!this.#take(this.#reports, name))
      throw new ProtocolError('the peer tells of usage and health much more often than there is to tell');
  }

  #take(limit: RateLimit, { groupId, instanceId }: InstanceName): boolean {
    return limit.take(JSON.stringify([groupId, instanceId]), this.#clock.monotonicMs()) === 0;
  }
}
