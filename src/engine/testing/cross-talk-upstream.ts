import type { ByteStream } from './byte-stream.ts';
import { stampedBytes } from './stamp.ts';
import { type RandomSequence, readStamped, sendStamped, turns } from './stamped-body.ts';

/** What an upstream does to a request, by the request's own wish. */
export const UPSTREAM_MODES = [
  'answer',
  'answer until close',
  'answer early',
  'close',
  'reset',
  'no HTTP',
  'cut off',
  'bad chunk',
  'more behind',
  'be silent',
] as const;
export type UpstreamMode = (typeof UPSTREAM_MODES)[number];

/** What an upstream has seen of everybody's requests. */
export interface UpstreamFindings {
  /** One sentence for each byte or request where it does not belong. */
  readonly foreign: string[];
  /** Owners of the POST requests. */
  readonly posts: Set<number>;
}

/** Responses are stamped unlike requests. */
export function responseOwner(owner: number): number {
  return -owner;
}

/** Serves one connection of the engine's: checks every byte of each request, and does what the request wishes. */
export async function serveCrossTalk(stream: ByteStream, random: RandomSequence, findings: UpstreamFindings): Promise<void> {
  for (;;) {
    const head = await stream.takeThrough('\r\n\r\n').catch(() => undefined);
    if (head === undefined) return;
    const value = (name: string): string => new RegExp(`\\r\\n${name}: ([^\\r]*)\\r\\n`, 'i').exec(head)?.[1] ?? '';
    const owner = Number(value('X-Owner'));
    const [, method, target] = /^([A-Z]+) ([^ ]+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    if (target !== `/${owner}` || owner === 0) findings.foreign.push(`the upstream got ${JSON.stringify(head.slice(0, 200))}`);
    if (method === 'POST' && findings.posts.has(owner)) findings.foreign.push(`POST ${owner} was sent twice`);
    if (method === 'POST') findings.posts.add(owner);
    const mode = value('X-Mode') as UpstreamMode;
    const chunked = head.toLowerCase().includes('\r\ntransfer-encoding: chunked\r\n');
    const body = { owner, length: Number(value('X-Length')), chunked };
    if (mode !== 'answer early' && !(await readWhole(stream, body, random, findings))) return;
    if (!(await answer(stream, mode, { owner: responseOwner(owner), length: Number(value('X-Wanted')) }, random))) return;
  }
}

/** False where the engine gave the request up, as it does when its client goes away. */
async function readWhole(
  stream: ByteStream,
  body: Parameters<typeof readStamped>[1],
  random: RandomSequence,
  findings: UpstreamFindings,
): Promise<boolean> {
  try {
    await readStamped(stream, body, random);
    return true;
  } catch (error) {
    const text = String(error);
    if (!text.includes('the stream ended')) findings.foreign.push(`in a request: ${text}`);
    return false;
  }
}

const EXTRA = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');

function lengthHead({ owner, length }: { readonly owner: number; readonly length: number }): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nX-Owner: ${owner}\r\nContent-Length: ${length}\r\n\r\n`);
}

/** False where the connection is not to be used again. */
async function answer(
  stream: ByteStream,
  mode: UpstreamMode,
  wanted: { readonly owner: number; readonly length: number },
  random: RandomSequence,
): Promise<boolean> {
  const chunked = mode === 'bad chunk' || (mode !== 'answer until close' && random() < 0.5);
  const length = chunked ? 'Transfer-Encoding: chunked\r\n' : mode === 'answer until close' ? '' : `Content-Length: ${wanted.length}\r\n`;
  const connection = mode === 'answer' ? '' : 'Connection: close\r\n';
  const head = Buffer.from(`HTTP/1.1 200 OK\r\nX-Owner: ${wanted.owner}\r\n${connection}${length}\r\n`);
  const body = { ...wanted, chunked };
  try {
    switch (mode) {
      case 'close':
        stream.socket.end();
        return false;
      case 'reset':
        stream.socket.resetAndDestroy();
        return false;
      case 'no HTTP':
        await stream.sendAll(Buffer.from(`what? ${wanted.owner}\r\n\r\n`));
        return true;
      case 'be silent':
        return true;
      case 'cut off':
        await stream.sendAll(head);
        await sendStamped(stream, body, random, Math.floor(wanted.length / 2));
        if (random() < 0.5) stream.socket.end();
        else stream.socket.resetAndDestroy();
        return false;
      case 'bad chunk':
        await stream.sendAll(head);
        await sendStamped(stream, body, random, Math.floor(wanted.length / 2));
        await stream.sendAll(Buffer.from('5;\nevil!\r\n'));
        return true;
      case 'more behind':
        // In one piece: what comes later than the end of an answer may meet the next request, and then nobody can tell.
        await stream.sendAll(Buffer.concat([lengthHead(wanted), stampedBytes(wanted.owner, 0, wanted.length), EXTRA]));
        return true;
      default:
        if (random() < 0.1) await turns(20);
        if (random() < 0.1) await stream.sendAll(Buffer.from('HTTP/1.1 103 Early Hints\r\nX-Interim: 1\r\n\r\n'));
        await stream.sendAll(head);
        await sendStamped(stream, body, random);
        if (mode === 'answer') return true;
        stream.socket.end();
        return false;
    }
  } catch {
    // The engine closed the connection: its client went away, or the answer was malformed.
    return false;
  }
}
