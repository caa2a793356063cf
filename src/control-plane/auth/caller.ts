import type { Author, User } from '../../store/index.ts';
import type { Access } from '../access/index.ts';

/** Who calls the Admin API. */
export interface Caller {
  /** What was shown: an API token, a session's cookie, or user name and password (Basic). */
  readonly by: 'token' | 'session' | 'password';
  readonly user: User;
  /** How history and audit log name the caller. */
  readonly author: Author;
  readonly tokenId: string | undefined;
  readonly sessionId: string | undefined;
  /** What the user may do at this moment. */
  readonly access: Access;
}
