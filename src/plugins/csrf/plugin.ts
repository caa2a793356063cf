import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { cookieDate } from './cookie-date.ts';
import { isGoodToken, makeToken } from './csrf-token.ts';
import { type CsrfConfiguration, csrfSchema } from './schema.ts';

interface CsrfState {
  readonly key: string;
  readonly maxAgeSeconds: number;
  readonly name: string;
  readonly lowerCaseName: string;
  readonly clock: Clock;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly noHeader: PluginAnswer;
  readonly noCookie: PluginAnswer;
  readonly mismatch: PluginAnswer;
  readonly badToken: PluginAnswer;
}

/** Methods that change nothing (RFC 9110 §9.2.1), as far as APISIX lets them pass. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Gives every client a signed token in a cookie, and lets a request that may change something pass only when a header repeats it:
 * pages of other sites can make browsers send the cookie, but cannot read it. As APISIX's csrf.
 */
export const csrf = definePlugin<CsrfConfiguration, CsrfState>({
  ...csrfSchema,
  readsHeadLater: false,
  create: ({ key, expires, name }, { clock, expiryClock, random }) => ({
    key,
    maxAgeSeconds: expires,
    name,
    lowerCaseName: name.toLowerCase(),
    clock,
    expiryClock,
    random,
    noHeader: refusal('no csrf token in headers'),
    noCookie: refusal('no csrf cookie'),
    mismatch: refusal('csrf token mismatch'),
    badToken: refusal('Failed to verify the csrf token signature'),
  }),
  phases: {
    access: (request, state) => {
      if (SAFE_METHODS.has(request.method)) return undefined;
      const header = request.header(state.lowerCaseName);
      if (header === undefined || header === '') return state.noHeader;
      const cookie = request.cookie(state.name);
      if (cookie === undefined) return state.noCookie;
      if (header !== cookie) return state.mismatch;
      return isGoodToken(cookie, state.key, nowSeconds(state.expiryClock), state.maxAgeSeconds) ? undefined : state.badToken;
    },
    headerFilter: (_request, response, { key, maxAgeSeconds, name, clock, expiryClock, random }) => {
      const token = makeToken(key, nowSeconds(expiryClock), (length) => random.bytes(length));
      const expires = cookieDate((nowSeconds(clock) + maxAgeSeconds) * 1000);
      response.addHeader('Set-Cookie', `${name}=${token};path=/;SameSite=Lax;Expires=${expires}`);
    },
  },
});

function refusal(message: string): PluginAnswer {
  return refuse('csrf_invalid', { message, style: 'error_msg' });
}

function nowSeconds(clock: Pick<Clock, 'nowMs'>): number {
  return Math.floor(clock.nowMs() / 1000);
}
