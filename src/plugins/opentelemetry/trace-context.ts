import type { RequestView } from '../../plugin-kit/index.ts';

/** What a request says of the trace that it belongs to. Ids are hexadecimal in lower case. */
export interface ParentContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** The value of `tracestate`; `''` for none. */
  readonly traceState: string;
}

/** Version, trace id, parent id, flags; a later version may have more behind them (W3C Trace Context §3.2, §4.1). */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/** The parent that a request names; undefined for none and for one that breaks the rules of W3C Trace Context. */
export function readParentContext(request: Pick<RequestView, 'headerValues'>): ParentContext | undefined {
  const [value, ...others] = request.headerValues('traceparent');
  if (value === undefined || others.length > 0) return undefined;
  const match = TRACEPARENT.exec(value);
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined) || isZero(traceId) || isZero(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { traceId, spanId, sampled, traceState: request.headerValues('tracestate').join(',') };
}

/** A trace id is not all zeros (§3.2.2.3). */
export function isTraceId(text: string): boolean {
  return /^[\da-f]{32}$/.test(text) && !isZero(text);
}

/** The header by which whoever comes next is told. */
export function formatTraceparent(traceId: string, spanId: string, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex);
}
