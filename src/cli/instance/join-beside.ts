import { StartError } from '../../errors/index.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/index.ts';
import type { JoinedIdentity } from './joined-identity.ts';
import type { DatedIdentity } from './local-identity.ts';

/** What a gateway needs to join while it serves. */
export interface JoiningBeside {
  readonly joined: Pick<JoinedIdentity, 'join'>;
  /** The token of now: its file may get another one. @throws StartError when it cannot be read */
  readonly readToken: () => string | undefined;
  /** The group whose configuration is served. */
  readonly groupId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** For whoever waits for the start. */
  readonly tell: (sentence: string) => void;
  /** It is a member now. */
  readonly onJoined: (identity: DatedIdentity) => void;
}

/** A token that was refused is not asked with again, but its file may get another one: it is looked at this often. */
export const LOOK_AGAIN_MS = 15_000;

/**
 * Joins in the background of a gateway that serves already, from a snapshot: control planes that cannot be reached are asked until they can,
 * and a token that is refused is said once and ends nothing. Returns the end of it, after which nobody is called any more.
 */
export function joinBeside(options: JoiningBeside): CancelTask {
  const { joined, readToken, groupId, clock, onJoined } = options;
  let isOver = false;
  let cancel: CancelTask = () => undefined;
  let refused: string | undefined;
  let told = '';
  const tell = (error: unknown): void => {
    const cause = messageOf(error);
    if (cause === told || isOver) return;
    told = cause;
    options.log.error('this gateway serves from its snapshot and cannot join', { cause });
    options.tell(`${cause} The gateway serves from its snapshot, and joins as soon as it can.\n`);
  };
  const attempt = async (token: string): Promise<DatedIdentity | undefined> => {
    try {
      return await joined.join(token, groupId);
    } catch (error) {
      // Only what a person has to change lies with the token.
      if (error instanceof StartError) refused = token;
      tell(error);
      return undefined;
    }
  };
  const look = async (): Promise<void> => {
    const token = readTokenOr(readToken, tell);
    const identity = token === undefined || token === refused ? undefined : await attempt(token);
    if (isOver) return;
    if (identity === undefined) cancel = clock.schedule(LOOK_AGAIN_MS, () => void look());
    else onJoined(identity);
  };
  void look();
  return () => {
    isOver = true;
    cancel();
  };
}

function readTokenOr(readToken: JoiningBeside['readToken'], tell: (error: unknown) => void): string | undefined {
  try {
    return readToken();
  } catch (error) {
    tell(error);
    return undefined;
  }
}
