import type { EngineLimits, EngineSettings, EngineTimeouts } from '../../engine/index.ts';
import { StartError } from '../../errors/index.ts';
import type { SettingValue } from './parse-value.ts';
import type { Setting, Verb } from './setting.ts';

const GATEWAY: readonly Verb[] = ['start', 'gateway'];

/** A setting that is one of the engine's time-outs; seconds or bytes a second where it stands, milliseconds or bytes a second in the engine. */
interface TimeoutSetting extends Setting {
  readonly timeout: keyof EngineTimeouts;
}

/** A setting that is one of the engine's limits. */
interface LimitSetting extends Setting {
  readonly limit: keyof EngineLimits;
}

const seconds = { type: 'seconds', verbs: GATEWAY } as const;
const rate = { type: 'number', verbs: GATEWAY, least: 0, most: 999_999_999 } as const;

/** How long a gateway waits for clients and upstreams, and how slow clients may be. */
export const TIMEOUT_SETTINGS = [
  {
    ...seconds,
    name: 'client-head-timeout',
    timeout: 'headMs',
    defaultText: '60',
    least: 0.5,
    meaning: "A request's head must arrive within this time",
  },
  {
    ...seconds,
    name: 'tls-handshake-timeout',
    timeout: 'handshakeMs',
    defaultText: '10',
    least: 0.5,
    meaning: 'Longest time from a client connecting to the HTTPS port to the end of its TLS handshake',
  },
  {
    ...seconds,
    name: 'client-idle-timeout',
    timeout: 'clientIdleMs',
    defaultText: '75',
    least: 0.5,
    meaning: 'How long a client may keep a connection without a request',
  },
  {
    ...seconds,
    name: 'client-body-timeout',
    timeout: 'bodySilenceMs',
    defaultText: '60',
    least: 1,
    meaning: 'Longest silence inside a request body',
  },
  {
    ...rate,
    name: 'client-body-min-rate',
    timeout: 'bodyBytesPerSecond',
    defaultText: '240',
    meaning: 'Lowest rate of a request body in bytes a second, averaged over `client-body-timeout`; 0 for any',
  },
  {
    ...seconds,
    name: 'client-write-timeout',
    timeout: 'clientWriteStallMs',
    defaultText: '60',
    least: 1,
    meaning: 'Longest time in which a client takes nothing of an answer',
  },
  {
    ...rate,
    name: 'client-write-min-rate',
    timeout: 'answerBytesPerSecond',
    defaultText: '240',
    meaning: 'Lowest rate at which a client takes an answer in bytes a second, averaged over `client-write-timeout`; 0 for any',
  },
  {
    ...seconds,
    name: 'client-half-closed-timeout',
    timeout: 'halfClosedMs',
    defaultText: '5',
    least: 0,
    meaning: 'How long a client that has ended its own side is still kept waiting for an answer',
  },
  {
    ...seconds,
    name: 'client-linger-timeout',
    timeout: 'lingerMs',
    defaultText: '2',
    least: 0,
    meaning: "How long a connection that is being closed waits for the client's end",
  },
  {
    ...seconds,
    name: 'client-connection-age',
    timeout: 'clientAgeMs',
    defaultText: '3600',
    least: 1,
    meaning: "A client's connection this old is closed with its next answer",
  },
  {
    ...seconds,
    name: 'upstream-connection-age',
    timeout: 'upstreamAgeMs',
    defaultText: '3600',
    least: 1,
    meaning: 'A connection to an upstream this old serves no further request',
  },
  {
    ...seconds,
    name: 'upstream-idle-timeout',
    timeout: 'upstreamIdleMs',
    defaultText: '60',
    least: 0,
    most: 60,
    meaning: 'How long a connection to an upstream is kept without a request; `keepalive_pool.idle_timeout` of the upstream can shorten it',
  },
] as const satisfies readonly TimeoutSetting[];

const size = { type: 'number', verbs: GATEWAY } as const;

/** How much of a message a gateway takes. */
export const LIMIT_SETTINGS = [
  {
    ...size,
    name: 'max-requests-per-connection',
    limit: 'requestsPerConnection',
    defaultText: '10000',
    least: 1,
    most: 999_999_999,
    meaning: "Requests of one client's connection; it is closed with the last answer",
  },
  {
    ...size,
    name: 'max-tls-handshakes',
    limit: 'handshakes',
    defaultText: '1000',
    least: 1,
    most: 1_000_000,
    meaning: 'TLS handshakes of clients under way at once, for each worker; for each one more the oldest is given up',
  },
  {
    ...size,
    name: 'max-stored',
    limit: 'storedBytes',
    defaultText: '134217728',
    least: 1_048_576,
    most: 17_179_869_184,
    meaning:
      'Bytes of HTTP/2 messages that wait for clients or upstreams in each worker; while there are more, requests of which either takes under 1 KiB a second over 5 s are given up',
  },
  {
    ...size,
    name: 'max-request-target',
    limit: 'targetBytes',
    defaultText: '8192',
    least: 128,
    most: 1_048_576,
    meaning: 'Bytes of a request target (path and query); more is 414',
  },
  {
    ...size,
    name: 'max-request-head',
    limit: 'headBytes',
    defaultText: '32768',
    least: 1024,
    most: 1_048_576,
    meaning: 'Bytes of a request head; more is 431',
  },
  {
    ...size,
    name: 'max-request-headers',
    limit: 'headerCount',
    defaultText: '200',
    least: 10,
    most: 5000,
    meaning: 'Header fields of a request; more is 431',
  },
  {
    ...size,
    name: 'max-chunk-extensions',
    limit: 'chunkExtensionBytes',
    defaultText: '4096',
    least: 0,
    most: 1_048_576,
    meaning: "Bytes of all chunk extensions of one body; more is 400, or 502 in an upstream's answer",
  },
  {
    ...size,
    name: 'max-trailers',
    limit: 'trailerBytes',
    defaultText: '8192',
    least: 2,
    most: 1_048_576,
    meaning: "Bytes of a request's trailer section; more is 400. Those of an answer may be as many, or as many as its head's",
  },
  {
    ...size,
    name: 'max-response-head',
    limit: 'responseHeadBytes',
    defaultText: '65536',
    least: 1024,
    most: 1_048_576,
    meaning: "Bytes of the head of an upstream's answer, and of its trailer section; more is 502",
  },
  {
    ...size,
    name: 'max-response-headers',
    limit: 'responseHeaderCount',
    defaultText: '500',
    least: 10,
    most: 5000,
    meaning: "Header fields of an upstream's answer; more is 502",
  },
  {
    ...size,
    name: 'max-interim-responses',
    limit: 'interimResponses',
    defaultText: '16',
    least: 0,
    most: 1000,
    meaning: 'Interim answers (1xx) of an upstream to one request; more is 502',
  },
  {
    ...size,
    name: 'max-discarded-body',
    limit: 'discardedBodyBytes',
    defaultText: '65536',
    least: 0,
    most: 16_777_216,
    meaning: 'Bytes of an unread request body that are read and thrown away to keep the connection; with more it is closed',
  },
] as const satisfies readonly LimitSetting[];

/**
 * What of the engine's limits and time-outs the configuration changes; the rest stays the engine's own.
 *
 * @throws StartError when two values contradict one another
 */
export function engineSettings(values: ReadonlyMap<string, SettingValue>): EngineSettings {
  const limits: Partial<Record<keyof EngineLimits, number>> = {};
  for (const { name, limit } of LIMIT_SETTINGS) {
    const value = values.get(name);
    if (value !== undefined) limits[limit] = Number(value);
  }
  const timeouts: Partial<Record<keyof EngineTimeouts, number>> = {};
  for (const { name, type, timeout } of TIMEOUT_SETTINGS) {
    const value = values.get(name);
    if (value !== undefined) timeouts[timeout] = type === 'seconds' ? Number(value) * 1000 : Number(value);
  }
  refuseUnreachableTarget(values);
  return { limits, timeouts };
}

/** A target longer than the whole head could never be had, whatever its own limit says. */
function refuseUnreachableTarget(values: ReadonlyMap<string, SettingValue>): void {
  const [target, head] = [limitOf(values, 'max-request-target'), limitOf(values, 'max-request-head')];
  if (target >= head)
    throw new StartError(`--max-request-target (${target}) must be less than --max-request-head (${head}), which contains it.`);
}

function limitOf(values: ReadonlyMap<string, SettingValue>, name: (typeof LIMIT_SETTINGS)[number]['name']): number {
  return Number(values.get(name) ?? LIMIT_SETTINGS.find((setting) => setting.name === name)?.defaultText);
}
