import { type Logger as PinoLogger, pino } from 'pino';
import { type Clock, systemClock } from '../lib/clock.ts';
import { describeError, type ErrorDescription, shorten } from './describe-error.ts';
import { EventDestination, type LogDestination } from './event-destination.ts';
import { LineBudget } from './line-budget.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';

export interface LoggerOptions {
  readonly destination: LogDestination;
  /** Lines below this level are left out. */
  readonly level: LogLevel;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Stand on every line. */
  readonly base: LogFields;
}

/** The logger of a process or thread, with what only its owner may do. */
export interface ProcessLogger extends Logger {
  /** Holds at once for this logger and all its children. */
  setLevel(level: LogLevel): void;
  /** Lets what was logged survive a loss of power. */
  flush(): void;
  /** Later lines are left out without a word. */
  close(): Promise<void>;
}

/** Fields whose values are secrets, should one ever be logged. A last fence: nobody is to log them. */
const SECRET_FIELDS = [
  ...['password', 'passwd', 'secret', 'token', 'apiToken', 'api_token', 'bootstrapToken', 'key', 'apiKey', 'api_key', 'apikey'],
  ...['privateKey', 'private_key', 'authorization', 'Authorization', 'cookie', 'Cookie', 'setCookie', 'query'],
  ...['["x-api-key"]', '["X-API-KEY"]', '["set-cookie"]', '["Set-Cookie"]', '["proxy-authorization"]'],
];

/** Names that the line itself uses. */
const RESERVED_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'message']);

const MAX_TEXT_LENGTH = 4096;

/** Synchronous lines cost about 10 µs: a flood of events must not cost more than two per cent of a core. Errors have a share of their own. */
const LINES_PER_SECOND = 1000;

/**
 * Writes events as JSON lines: `level`, `time` (RFC 3339, UTC), the fields, `error`, `message`, all in printable ASCII. Secrets named
 * like secrets are blanked, long texts cut, and a flood is dropped and counted. Each thread makes its own logger on the same file.
 *
 * @throws StartError when the file cannot be opened.
 */
export function createLogger(options: LoggerOptions): ProcessLogger {
  const clock = options.clock ?? systemClock;
  const timestamp = (): string => new Date(clock.nowMs()).toISOString();
  const destination = new EventDestination({
    destination: options.destination,
    clock,
    describeDropped: (count) =>
      `${JSON.stringify({ level: 'warn', time: timestamp(), ...options.base, dropped: count, message: 'log lines were dropped' })}\n`,
  });
  const writer = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${timestamp()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS, censor: '[secret]' },
    },
    destination,
  );
  const eventBudget = new LineBudget(clock, LINES_PER_SECOND);
  const errorBudget = new LineBudget(clock, LINES_PER_SECOND);
  const write = (level: LogLevel, message: string, fields: LogFields, error: unknown): void => {
    if (!writer.isLevelEnabled(level)) return;
    if ((level === 'error' ? errorBudget : eventBudget).take()) writeLine(writer, level, message, fields, error);
    else destination.drop();
  };
  return {
    ...childLogger(write, options.base),
    setLevel: (level) => {
      writer.level = level;
    },
    flush: () => destination.flush(),
    close: async () => destination.close(),
  };
}

type WriteEvent = (level: LogLevel, message: string, fields: LogFields, error: unknown) => void;

/** Children merge their fields here and not in pino, so that a field given twice stands once, and all obey one level. */
function childLogger(write: WriteEvent, base: LogFields): Logger {
  return {
    debug: (message, fields) => write('debug', message, { ...base, ...fields }, undefined),
    info: (message, fields) => write('info', message, { ...base, ...fields }, undefined),
    warn: (message, fields) => write('warn', message, { ...base, ...fields }, undefined),
    error: (message, fields, error) => write('error', message, { ...base, ...fields }, error),
    child: (fields) => childLogger(write, { ...base, ...fields }),
  };
}

function writeLine(writer: PinoLogger, level: LogLevel, message: string, fields: LogFields, error: unknown): void {
  const line: Record<string, unknown> & { error?: ErrorDescription } = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    line[RESERVED_FIELDS.has(name) ? `${name}_` : name] = typeof value === 'string' ? shorten(value, MAX_TEXT_LENGTH) : value;
  }
  if (error !== undefined) line.error = describeError(error);
  writer[level](line, shorten(message, MAX_TEXT_LENGTH));
}
