import { CallError } from './call-error.ts';

/** Where a call goes. */
export interface CallTarget {
  /** Scheme, host and port: all of a URL that may stand in a log. */
  readonly origin: string;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http:', 80],
  ['https:', 443],
]);

/**
 * Reads a URL. A user in it is refused: it would end up in whatever shows the URL, and belongs in the header `Authorization`.
 * @throws CallError `invalid`
 */
export function readCallTarget(text: string): CallTarget {
  if (!URL.canParse(text)) throw new CallError('invalid', 'the URL of a call is malformed');
  const url = new URL(text);
  const port = url.port === '' ? DEFAULT_PORTS.get(url.protocol) : Number(url.port);
  if (port === undefined || !DEFAULT_PORTS.has(url.protocol)) throw new CallError('invalid', 'the URL of a call is neither http nor https');
  if (url.username !== '' || url.password !== '') throw new CallError('invalid', 'the URL of a call names a user');
  return { origin: url.origin, host: url.hostname.replace(/^\[|\]$/g, ''), port, path: `${url.pathname}${url.search}` };
}
