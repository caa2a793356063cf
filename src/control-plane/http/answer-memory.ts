import { hash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { type Caller, readCookie, SESSION_COOKIE, type ShownCredentials } from '../auth/index.ts';

/** How long an answer is remembered: so long, at most, does a token that another control plane has revoked still read while the store is away. */
const LONGEST_MS = 300_000;
const MOST_CHARACTERS = 16_777_216;
const MOST_CHARACTERS_OF_ONE = 1_048_576;
const RESOURCES = '/apisix/admin/';

/** What was answered once, to whom. */
interface RememberedAnswer {
  readonly caller: Caller;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** JSON. */
  readonly text: string;
  /** By the monotonic clock. */
  readonly atMs: number;
}

/** An answer from memory, and how many whole seconds ago it was given. */
export interface RecalledAnswer {
  readonly answer: RememberedAnswer;
  readonly ageSeconds: number;
}

/**
 * The latest answers to reads, for the time when the store is away: whoever shows the same token or session and asks for the same thing gets
 * what he got before, up to five minutes later. So nobody sees what he was not allowed to see when permissions could be looked up.
 *
 * What this control plane has seen since counts: a write of the same resources, any change of users, tokens and roles, a refusal, an expiry.
 * Passwords (Basic) are not remembered.
 */
export class AnswerMemory {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #expiryClock: Pick<Clock, 'nowMs'>;
  /** The oldest first. */
  readonly #answers = new Map<string, RememberedAnswer & { readonly path: string }>();
  #characters = 0;
  #forgettings = 0;

  /** `expiryClock` says what has expired: setting it back revives nothing. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, expiryClock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
    this.#expiryClock = expiryClock;
  }

  /** To be asked before the caller is looked up, and handed to `remember`. */
  get mark(): number {
    return this.#forgettings;
  }

  /** Remembers an answer, unless something was written while it was made: it may tell of what was before. */
  remember(shown: ShownSecrets, url: string, answer: Omit<RememberedAnswer, 'atMs'>, mark: number): void {
    const name = nameOf(shown, url);
    if (name === undefined || answer.caller.by === 'password' || mark !== this.#forgettings) return;
    this.#remove(name);
    if (answer.text.length > MOST_CHARACTERS_OF_ONE) return;
    this.#answers.set(name, { ...answer, path: pathOf(url), atMs: this.#clock.monotonicMs() });
    this.#characters += answer.text.length;
    for (const [oldest, { atMs }] of this.#answers) {
      if (this.#characters <= MOST_CHARACTERS && !this.#isOver(atMs)) break;
      this.#remove(oldest);
    }
  }

  /** What was answered before. */
  find(shown: ShownSecrets, url: string): RecalledAnswer | undefined {
    const name = nameOf(shown, url);
    const answer = name === undefined ? undefined : this.#answers.get(name);
    if (name === undefined || answer === undefined) return undefined;
    const { expiresAt = 0 } = answer.caller;
    if (this.#isOver(answer.atMs) || (expiresAt !== 0 && this.#expiryClock.nowMs() >= expiresAt * 1000)) {
      this.#remove(name);
      return undefined;
    }
    return { answer, ageSeconds: Math.floor((this.#clock.monotonicMs() - answer.atMs) / 1000) };
  }

  /** The same request was answered otherwise since. */
  forget(shown: ShownSecrets, url: string): void {
    const name = nameOf(shown, url);
    if (name !== undefined) this.#remove(name);
  }

  /** Who shows this is nobody any longer. */
  forgetCaller(shown: ShownSecrets): void {
    const who = whoOf(shown);
    if (who === undefined) return;
    for (const name of [...this.#answers.keys()]) if (name.startsWith(who)) this.#remove(name);
  }

  /** Something was written: what may tell of it is forgotten. */
  forgetWritten(method: string, url: string): void {
    this.#forgettings += 1;
    const written = pathOf(url);
    // A delete takes others along, and what lies elsewhere changes many resources, or who may do what.
    const isOne = written.startsWith(RESOURCES) && method !== 'DELETE';
    for (const [name, { path }] of [...this.#answers]) {
      const isElsewhere = isOne && path.startsWith(RESOURCES) && !path.startsWith(written) && !written.startsWith(path);
      if (!isElsewhere) this.#remove(name);
    }
  }

  #isOver(atMs: number): boolean {
    return this.#clock.monotonicMs() - atMs >= LONGEST_MS;
  }

  #remove(name: string): void {
    this.#characters -= this.#answers.get(name)?.text.length ?? 0;
    this.#answers.delete(name);
  }
}

/** What a request shows of its caller, as the headers have it. */
export type ShownSecrets = Pick<ShownCredentials, 'token' | 'authorization' | 'cookie'>;

/** No secret lies here in clear. Undefined for who shows no token and no session. */
function whoOf({ token, authorization, cookie }: ShownSecrets): string | undefined {
  if (token !== undefined) return hash('sha256', `token ${token}`);
  const session = authorization === undefined ? readCookie(cookie, SESSION_COOKIE) : undefined;
  return session === undefined ? undefined : hash('sha256', `session ${session}`);
}

function nameOf(shown: ShownSecrets, url: string): string | undefined {
  const who = whoOf(shown);
  return who === undefined ? undefined : `${who} ${url}`;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}
