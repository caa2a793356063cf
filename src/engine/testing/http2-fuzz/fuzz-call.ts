import { UPSTREAM_MODES, type UpstreamMode } from '../cross-talk-upstream.ts';
import type { RandomSequence } from '../stamped-body.ts';

/** What a client does amiss with one of its streams; the others of the connection have nothing to do with it. */
export const CALL_FAULTS = [
  'cancels at once',
  'cancels in the request',
  'cancels in the answer',
  'body too short',
  'body too long',
  'bad field',
  'connection field',
  'list too long',
  'grows by nothing',
  'grows too far',
  'data behind the end',
  'trailers without an end',
  'ignores the window',
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/** One request of a hostile client. */
export interface FuzzCall {
  readonly owner: number;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly mode: UpstreamMode;
  readonly fault: CallFault | 'none';
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The request tells how long its body is. */
  readonly tellsLength: boolean;
  /** The request ends with trailer fields. */
  readonly hasTrailers: boolean;
}

/** How a call has ended for the client. */
export interface CallOutcome {
  readonly status: number | undefined;
  /** All of an answer has come, and nothing but that. */
  readonly isWhole: boolean;
  /** The code with which the gateway has reset the stream. */
  readonly resetCode: number | undefined;
  /** Bytes of an answer of the gateway's own. */
  readonly ownBody: string;
}

const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const ENHANCE_YOUR_CALM = 11;
/** Modes of the upstream after which an answer may be cut off, or be the gateway's own. */
const FAILING: ReadonlySet<UpstreamMode> = new Set(['close', 'reset', 'no HTTP', 'cut off', 'bad chunk', 'answer early']);
const GATEWAY_ANSWER = /^\{"error_msg":"[a-z ]+"\}\n$/;

/** Codes with which the gateway may reset a stream for a fault; a race may be lost, so each may be answered, too. */
const RESET_CODES: Readonly<Record<CallFault, readonly number[]>> = {
  'cancels at once': [],
  'cancels in the request': [],
  'cancels in the answer': [],
  'body too short': [PROTOCOL_ERROR],
  'body too long': [PROTOCOL_ERROR, STREAM_CLOSED],
  'bad field': [PROTOCOL_ERROR],
  'connection field': [PROTOCOL_ERROR],
  'list too long': [ENHANCE_YOUR_CALM],
  'grows by nothing': [PROTOCOL_ERROR],
  'grows too far': [FLOW_CONTROL_ERROR],
  'data behind the end': [STREAM_CLOSED],
  'trailers without an end': [PROTOCOL_ERROR, STREAM_CLOSED],
  'ignores the window': [FLOW_CONTROL_ERROR],
};
/** Statuses by which the gateway may refuse a fault instead. */
const REFUSALS: Partial<Record<CallFault, readonly number[]>> = {
  'body too short': [400],
  'bad field': [400],
  'connection field': [400],
  'list too long': [431],
};

export function makeCall(owner: number, largestBytes: number, random: RandomSequence): FuzzCall {
  const size = (): number => {
    const part = random();
    const most = part < 0.2 ? 0 : part < 0.6 ? 1000 : part < 0.92 ? 30_000 : largestBytes;
    return Math.floor(random() * most);
  };
  const fault = random() < 0.3 ? (CALL_FAULTS[Math.floor(random() * CALL_FAULTS.length)] ?? 'none') : 'none';
  const mode = random() < 0.15 ? (UPSTREAM_MODES[Math.floor(random() * UPSTREAM_MODES.length)] ?? 'answer') : 'answer';
  const tellsLength = fault.startsWith('body too') || (fault !== 'trailers without an end' && random() < 0.5);
  return {
    owner,
    method: (['GET', 'POST', 'PUT'] as const)[Math.floor(random() * 3)] ?? 'GET',
    // Both wait for a time-out, which has tests of its own.
    mode: mode === 'be silent' || (fault !== 'none' && mode !== 'answer until close') ? 'answer' : mode,
    fault,
    requestBytes: fault === 'ignores the window' ? 200_000 : fault === 'body too short' ? 1 + size() : size(),
    responseBytes: mode === 'more behind' ? Math.min(size(), 20_000) : size(),
    tellsLength,
    hasTrailers: !tellsLength && random() < 0.3,
  };
}

/** What is wrong with the outcome; undefined for one that may be. */
export function problemOf(call: FuzzCall, outcome: CallOutcome): string | undefined {
  const { fault, mode } = call;
  const { status, isWhole, resetCode, ownBody } = outcome;
  if (fault.startsWith('cancels')) return undefined;
  // Behind the whole answer the rest of a request is unwanted (RFC 9113 §8.1), and late offences are told.
  const isAnswered = isWhole && status === 200 && (resetCode === undefined || resetCode === NO_ERROR || fault !== 'none');
  if (isAnswered) return undefined;
  if (fault !== 'none') {
    if (resetCode !== undefined && RESET_CODES[fault].includes(resetCode)) return undefined;
    if (isWhole && status !== undefined && REFUSALS[fault]?.includes(status) && GATEWAY_ANSWER.test(ownBody)) return undefined;
  } else if (FAILING.has(mode)) {
    if (status === 200 && resetCode !== undefined) return undefined;
    if (status === 502 && isWhole && GATEWAY_ANSWER.test(ownBody)) return undefined;
  }
  return `${describeCall(call)} ended so: ${JSON.stringify(outcome)}`;
}

export function describeCall({ owner, method, mode, fault, requestBytes, responseBytes, tellsLength, hasTrailers }: FuzzCall): string {
  const form = `${tellsLength ? '' : ' of untold length'}${hasTrailers ? ' with trailers' : ''}`;
  return `${method} ${owner} (${mode}, ${fault}, ${requestBytes} bytes${form}, ${responseBytes} wanted)`;
}
