import type { IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { isIPv4, type LookupFunction } from 'node:net';
import type { Client, Dispatcher } from 'undici';
import type { OutgoingRequest, OutgoingResponse } from '../../plugin-kit/index.ts';
import { CallError } from './call-error.ts';
import type { CallTarget } from './call-target.ts';

const DEFAULT_MAX_RESPONSE_BYTES = 1024 * 1024;
const LONGEST_CONNECT_MS = 600_000;

let clientClass: typeof Client | undefined;

/**
 * Of undici nothing is loaded but its client, and that with the first call: the whole library takes 110 ms of the thread and 17 MB, the
 * client 30 ms and 10 MB (Node 26).
 */
function loadClient(): typeof Client {
  clientClass ??= createRequire(import.meta.url)('undici/lib/dispatcher/client.js') as typeof Client;
  return clientClass;
}

/**
 * Sends one request on a connection of its own, to one of these addresses, and reads the whole answer. A kept connection would save
 * time, but one that the other side is just closing would lose what cannot be sent twice. Redirects are not followed.
 *
 * @throws CallError `failed`, `too_large` or `invalid`, or the reason of `signal`
 */
export async function exchangeCall(
  request: OutgoingRequest,
  target: CallTarget,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<OutgoingResponse> {
  signal.throwIfAborted();
  const client = new (loadClient())(target.origin, {
    // The whole exchange has one time-out. This one only ends attempts that nobody waits for any more.
    connectTimeout: Math.min(request.timeoutMs + 1000, LONGEST_CONNECT_MS),
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    maxCachedSessions: 0,
    connect: { lookup: lookupAmong(addresses), rejectUnauthorized: request.verifyTls },
  });
  const abort = (): void => void client.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await dispatch(client, request, target);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CallError ? error : failureOf(error, target.origin);
  } finally {
    signal.removeEventListener('abort', abort);
    client.destroy().catch(() => {});
  }
}

function dispatch(client: Client, request: OutgoingRequest, target: CallTarget): Promise<OutgoingResponse> {
  return new Promise((resolve, reject) => {
    const handler = new AnswerCollector(target.origin, request.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES, resolve, reject);
    const { method, headers, body = null } = request;
    client.dispatch({ path: target.path, method, headers, body, reset: true }, handler);
  });
}

/** Gathers an answer in memory, up to a limit. */
class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #origin: string;
  readonly #maxBytes: number;
  readonly #resolve: (response: OutgoingResponse) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();

  constructor(origin: string, maxBytes: number, resolve: (response: OutgoingResponse) => void, reject: (error: Error) => void) {
    this.#origin = origin;
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  // undici takes an object for a handler only where it has this.
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = joinHeaders(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#maxBytes) this.#chunks.push(chunk);
    else controller.abort(new CallError('too_large', `the answer of ${this.#origin} has more than ${this.#maxBytes} bytes`));
  }

  onResponseEnd(): void {
    this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

function joinHeaders(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value);
  }
  return joined;
}

/** A look-up that gives what was resolved and allowed beforehand, so that nothing can come between the policy and the connection. */
function lookupAmong(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return (_name, options, callback) => {
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
}

/** Of a failure only its code is told: its text can hold what was sent. */
function failureOf(error: unknown, origin: string): CallError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'UND_ERR_INVALID_ARG') return new CallError('invalid', `the method or a header of a call to ${origin} cannot be sent`);
  const told = typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'unknown';
  return new CallError('failed', `calling ${origin} failed: ${told}`);
}
