/** Why a server did not count. The message is fit for logs: it holds no key, no password and nothing that a client has sent. */
export class RedisFailure extends Error {
  /** The first word of the server's refusal, e.g. `NOSCRIPT`; undefined where it did not answer. */
  readonly refusal: string | undefined;
  /** What follows the first word. Not for logs. */
  readonly rest: string;

  constructor(message: string, refusal?: string, rest = '') {
    super(message);
    this.name = 'RedisFailure';
    this.refusal = refusal;
    this.rest = rest;
  }

  /** `fallback` says what happened where the error itself tells nothing that is fit to be told. */
  static of(error: unknown, fallback: string): RedisFailure {
    if (error instanceof RedisFailure) return error;
    if (!(error instanceof Error)) return new RedisFailure(fallback);
    const refusal = /^([A-Z]{2,32}) ?(.*)$/s.exec(error.message);
    if (refusal !== null) return new RedisFailure(`the server answered ${refusal[1]}`, refusal[1], refusal[2]);
    const code = 'code' in error ? String(error.code) : '';
    return new RedisFailure(/^[A-Z][A-Z0-9_]+$/.test(code) ? `${fallback}: ${code}` : fallback);
  }
}
