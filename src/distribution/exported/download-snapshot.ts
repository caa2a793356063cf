import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request as requestInClear } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import { isIP } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { dialDenied, policedLookup } from '../../lib/policed-lookup.ts';
import { MAX_SNAPSHOT_FILE_BYTES } from './snapshot-file-reader.ts';

/** How a download went. `etag` is to be given the next time. */
export type Download = { readonly kind: 'downloaded'; readonly etag: string | undefined } | { readonly kind: 'unchanged' };

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
  readonly maxBytes?: number;
}

/** Without a byte for this long it is given up, … */
const SILENCE_MS = 15_000;
/** … and after this long in any case. */
const TOTAL_MS = 600_000;
const MAX_ETAG = 1024;

/**
 * Downloads an exported snapshot over HTTPS, or HTTP where the address allows it; what it holds is not looked at. Redirects are not
 * followed. A file that did not come as a whole may be left at `file`.
 *
 * @throws Error when the server cannot be reached, does not answer with a file, is too slow, or sends too much
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
    await pipeline(answer, limitOf(options.maxBytes ?? MAX_SNAPSHOT_FILE_BYTES), createWriteStream(options.file, { mode: 0o600 }), {
      signal,
    });
    const { etag } = answer.headers;
    return { kind: 'downloaded', etag: etag !== undefined && etag.length <= MAX_ETAG ? etag : undefined };
  } finally {
    cancel();
  }
}

function ask({ url, etag, mayDial }: DownloadOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  if (isIP(host) !== 0 && !mayDial(host, number)) return Promise.reject(dialDenied(host));
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

function limitOf(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new Error('the snapshot is too large'));
      else done(null, chunk);
    },
  });
}
