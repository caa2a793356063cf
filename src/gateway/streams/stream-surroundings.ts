import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import type { LineLog } from '../pipeline/index.ts';
import type { StreamRoutes } from '../runtime/index.ts';

/** What all streams of a worker have in common. */
export interface StreamSurroundings {
  /** The routes in force. */
  readonly routes: Pick<StreamRoutes, 'match'>;
  /** Decides about connections in flight; without it nothing is counted. */
  readonly admission: RequestAdmission | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** The revision in force, for the log. */
  readonly revision: () => number;
  /** The configuration is too old to be served; absent: it never is. */
  readonly isTooOld?: (() => boolean) | undefined;
  readonly accessLog: LineLog | undefined;
  /** A plugin that has not decided after this time has failed. */
  readonly pluginDeadlineMs: number;
}
