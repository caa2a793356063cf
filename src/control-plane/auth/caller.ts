import type { Author, User } from '../../store/index.ts';
import type { Access } from '../access/index.ts';

/** Who calls the Admin API: a user, or a program with the admin key of a gateway group. */
export type Caller = UserCaller | GroupCaller;

/** What is known of every caller. */
interface AnyCaller {
  /** How history and audit log name the caller. */
  readonly author: Author;
  /** What the caller may do at this moment. */
  readonly access: Access;
  /** When what was shown ends by itself (Unix seconds); 0 or absent: never. */
  readonly expiresAt?: number;
}

/** A user. */
export interface UserCaller extends AnyCaller {
  /** What was shown: an API token, a session's cookie, or user name and password (Basic). */
  readonly by: 'token' | 'session' | 'password';
  readonly user: User;
  readonly tokenId: string | undefined;
  readonly sessionId: string | undefined;
}

/** Whoever has the admin key of a gateway group, which does for everything in that group and for nothing outside it. */
export interface GroupCaller extends AnyCaller {
  readonly by: 'admin_key';
  readonly groupId: string;
  /** By which the store knows the key. */
  readonly keyDigest: Buffer;
}

/** The gateway group to which a caller is bound by what was shown; undefined for users. */
export function ownGroupOf(caller: Caller | undefined): string | undefined {
  return caller?.by === 'admin_key' ? caller.groupId : undefined;
}
