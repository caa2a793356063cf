import type { Exchange } from '../../engine/index.ts';
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { IdentifiedConsumer } from '../tables/index.ts';
import { logField } from './log-field.ts';
import { appendTimestamp } from './timestamp.ts';

/**
 * What the gateway knows of a request beyond what the engine measured. `…Text` are fields made beforehand, each beginning with a
 * comma; all texts that come from clients were escaped when they were made.
 */
export interface AccessFacts {
  readonly requestId: Buffer;
  readonly clientRequestId: string | undefined;
  readonly revision: number;
  readonly clientText: Buffer;
  readonly requestText: Buffer | undefined;
  readonly routeText: Buffer | undefined;
  readonly nodeText: Buffer | undefined;
  readonly consumer: ConsumerMatch | undefined;
  /** Monotonic milliseconds at which the first plugin started; 0 when none did. */
  readonly pluginsStartedAtMs: number;
}

const START = Buffer.from('{"request_id":"', 'latin1');
const TIME = Buffer.from('","time":"', 'latin1');
const REVISION = Buffer.from('","revision":', 'latin1');
const STATUS = Buffer.from(',"status":', 'latin1');
const UPSTREAM_STATUS = Buffer.from(',"upstream_status":', 'latin1');
const ATTEMPTS = Buffer.from(',"attempts":', 'latin1');
const BYTES_IN = Buffer.from(',"bytes_in":', 'latin1');
const BYTES_OUT = Buffer.from(',"bytes_out":', 'latin1');
const HEAD_MS = Buffer.from(',"head_ms":', 'latin1');
const PLUGINS_MS = Buffer.from(',"plugins_ms":', 'latin1');
const CONNECT_MS = Buffer.from(',"connect_ms":', 'latin1');
const FIRST_BYTE_MS = Buffer.from(',"first_byte_ms":', 'latin1');
const TOTAL_MS = Buffer.from(',"total_ms":', 'latin1');
const CLOSING_BRACE = 0x7d;
const POINT = 0x2e;
const ZERO = 0x30;

/**
 * Appends one line of the access log: a JSON object in printable ASCII, without a newline. Absent facts are left out. Times are in
 * milliseconds since the request's first byte, so that they can be compared without arithmetic over fields.
 */
export function appendAccessLine(writer: ByteWriter, exchange: Exchange, facts: AccessFacts, nowMs: number): void {
  writer.appendAll(START);
  writer.appendAll(facts.requestId);
  writer.appendAll(TIME);
  appendTimestamp(writer, nowMs);
  appendNumber(writer, REVISION, facts.revision);
  if (facts.clientRequestId !== undefined) writer.appendAscii(logField('client_request_id', facts.clientRequestId));
  writer.appendAll(facts.clientText);
  if (facts.requestText !== undefined) writer.appendAll(facts.requestText);
  appendNumber(writer, STATUS, exchange.status);
  if (facts.routeText !== undefined) writer.appendAll(facts.routeText);
  if (facts.consumer !== undefined) appendConsumer(writer, facts.consumer);
  if (exchange.upstream !== undefined && facts.nodeText !== undefined) writer.appendAll(facts.nodeText);
  if (exchange.upstreamStatus !== 0) appendNumber(writer, UPSTREAM_STATUS, exchange.upstreamStatus);
  appendNumber(writer, ATTEMPTS, exchange.attempts);
  appendNumber(writer, BYTES_IN, exchange.bytesFromClient);
  appendNumber(writer, BYTES_OUT, exchange.bytesToClient);
  appendTimes(writer, exchange, facts.pluginsStartedAtMs);
  if (exchange.reason !== undefined) writer.appendAll(reasonText(exchange.reason));
  writer.appendByte(CLOSING_BRACE);
}

function appendNumber(writer: ByteWriter, name: Buffer, value: number): void {
  writer.appendAll(name);
  writer.appendDecimal(value);
}

function appendConsumer(writer: ByteWriter, consumer: ConsumerMatch): void {
  if (consumer instanceof IdentifiedConsumer && consumer.appendLogText(writer)) return;
  writer.appendAscii(logField('consumer', consumer.username) + logField('credential', consumer.credentialId));
}

function appendTimes(writer: ByteWriter, exchange: Exchange, pluginsStartedAtMs: number): void {
  const start = exchange.startedAtMs;
  appendTime(writer, HEAD_MS, start, exchange.headReadAtMs);
  if (pluginsStartedAtMs !== 0) appendTime(writer, PLUGINS_MS, pluginsStartedAtMs, exchange.decidedAtMs);
  if (exchange.decidedAtMs !== 0) appendTime(writer, CONNECT_MS, exchange.decidedAtMs, exchange.connectedAtMs);
  appendTime(writer, FIRST_BYTE_MS, start, exchange.firstByteAtMs);
  appendTime(writer, TOTAL_MS, start, exchange.finishedAtMs);
}

/** Milliseconds with up to three decimals; nothing where the exchange never got so far. */
function appendTime(writer: ByteWriter, name: Buffer, fromMs: number, toMs: number): void {
  if (toMs === 0) return;
  writer.appendAll(name);
  const micros = Math.max(0, Math.round((toMs - fromMs) * 1000));
  const whole = Math.floor(micros / 1000);
  writer.appendDecimal(whole);
  const rest = micros - whole * 1000;
  if (rest === 0) return;
  writer.appendByte(POINT);
  const tenths = Math.floor(rest / 100);
  const hundredths = Math.floor(rest / 10) - tenths * 10;
  const thousandths = rest % 10;
  writer.appendByte(ZERO + tenths);
  if (hundredths !== 0 || thousandths !== 0) writer.appendByte(ZERO + hundredths);
  if (thousandths !== 0) writer.appendByte(ZERO + thousandths);
}

const reasonTexts = new Map<ErrorReason, Buffer>();

function reasonText(reason: ErrorReason): Buffer {
  let text = reasonTexts.get(reason);
  if (text === undefined) {
    text = Buffer.from(`,"reason":"${reason}","source":"${ERROR_CODES[reason].source}"`, 'latin1');
    reasonTexts.set(reason, text);
  }
  return text;
}
