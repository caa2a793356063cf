import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request as requestInClear } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import { isIP } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { nodeTls } from '../../lib/node-tls.ts';
import { dialDenied, policedLookup } from '../../lib/policed-lookup.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import { SnapshotNotNewer } from './snapshot-not-newer.ts';
import type { SnapshotStreamCheck } from './snapshot-stream-check.ts';

/** How a download went. `etag` is to be given the next time. `refused`: whatever the server has there is of no use. */
export type Download =
  | { readonly kind: 'downloaded' | 'not-newer'; readonly etag: string | undefined }
  | { readonly kind: 'refused'; readonly etag: string | undefined; readonly reason: string }
  | { readonly kind: 'unchanged' };

/** What a download needs. */
export interface DownloadOptions {
  readonly url: string;
  /** Of what was downloaded before: the server says when nothing has changed (RFC 9110 §13.1.2). */
  readonly etag: string | undefined;
  /** Replaced. */
  readonly file: string;
  readonly mayDial: DialPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly check: SnapshotStreamCheck;
  /** More than that is refused for good. */
  readonly maxBytes: number;
  /** More than that does not fit now. */
  readonly freeBytes: number;
}

/** Without a byte for this long it is given up, … */
const SILENCE_MS = 15_000;
/** … and after this long in any case. */
const TOTAL_MS = 600_000;
const MAX_ETAG = 1024;

/**
 * Downloads an exported snapshot over HTTPS, or HTTP where the address allows it, for as long as `check` finds that it is one. Redirects are not
 * followed. A file that did not come as a whole may be left at `file`.
 *
 * @throws Error when the server cannot be reached, does not answer with a file, is too slow, or sends more than there is space for
 */
export async function downloadSnapshot(options: DownloadOptions): Promise<Download> {
  const giveUp = new AbortController();
  const cancel = options.clock.schedule(TOTAL_MS, () => giveUp.abort(new Error('the download took too long')));
  const signal = AbortSignal.any([options.signal, giveUp.signal]);
  try {
    const answer = await ask(options, signal);
    if (answer.statusCode === 304 && options.etag !== undefined) {
      answer.resume();
      return { kind: 'unchanged' };
    }
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Error(`the server answered ${answer.statusCode}`);
    }
    const etag = answer.headers.etag !== undefined && answer.headers.etag.length <= MAX_ETAG ? answer.headers.etag : undefined;
    try {
      await receive(answer, options, signal);
    } catch (error) {
      if (error instanceof SnapshotNotNewer) return { kind: 'not-newer', etag };
      if (error instanceof SnapshotFileError) return { kind: 'refused', etag, reason: error.message };
      throw error;
    }
    return { kind: 'downloaded', etag };
  } finally {
    cancel();
  }
}

function ask({ url, etag, mayDial }: DownloadOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  if (isIP(host) !== 0 && !mayDial(host, number)) return Promise.reject(dialDenied(host));
  if (protocol === 'https:') nodeTls();
  const request = protocol === 'https:' ? requestEncrypted : requestInClear;
  return new Promise((resolve, reject) => {
    const asking = request(url, {
      agent: false,
      signal,
      timeout: SILENCE_MS,
      lookup: policedLookup(mayDial, number),
      headers: { Accept: '*/*', ...(etag === undefined ? {} : { 'If-None-Match': etag }) },
    });
    asking.on('timeout', () => asking.destroy(new Error('the server was silent for too long')));
    asking.on('response', resolve);
    asking.on('error', reject);
    asking.end();
  });
}

async function receive(answer: IncomingMessage, options: DownloadOptions, signal: AbortSignal): Promise<void> {
  const { check, file } = options;
  try {
    // What says of itself that it is too large is not begun.
    requireSpace(Number(answer.headers['content-length'] ?? 0), options);
    await pipeline(answer, checking(options), createWriteStream(file, { mode: 0o600 }), { signal });
    check.finish();
  } catch (error) {
    // Node calls that "aborted", as it calls what is stopped here.
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
      throw new Error('the server broke the download off', { cause: error });
    throw error;
  } finally {
    answer.destroy();
  }
}

function checking(options: DownloadOptions): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        requireSpace(bytes, options);
        options.check.add(chunk);
        done(null, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
  });
}

function requireSpace(bytes: number, { maxBytes, freeBytes }: DownloadOptions): void {
  if (bytes > maxBytes) throw new SnapshotFileError('it is too large');
  if (bytes > freeBytes) throw new Error('there is too little space on the disk for the snapshot and the disk copy');
}
