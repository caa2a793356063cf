import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ByteStream } from './byte-stream.ts';
import type { CrossTalkFindings } from './cross-talk.ts';
import { responseOwner, UPSTREAM_MODES, type UpstreamMode } from './cross-talk-upstream.ts';
import { type RandomSequence, readStamped, sendStamped, turns } from './stamped-body.ts';

/** One request with what is to become of it. */
interface Work {
  readonly owner: number;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly mode: UpstreamMode;
  readonly requestBytes: number;
  readonly chunked: boolean;
  readonly responseBytes: number;
  /** What the client does amiss itself. */
  readonly fault: 'none' | 'bad head' | 'bad chunk' | 'leaves in the request' | 'leaves in the answer';
}

/** What a client needs of its surroundings. */
export interface CrossTalkClientOptions {
  readonly number: number;
  readonly requests: number;
  readonly largestBytes: number;
  readonly random: RandomSequence;
  readonly findings: CrossTalkFindings;
  connect(): Promise<Socket>;
}

/** Modes after which the client may find its connection cut, or an answer of the gateway's own. */
const FAILING: ReadonlySet<UpstreamMode> = new Set(['close', 'reset', 'no HTTP', 'cut off', 'bad chunk', 'be silent', 'answer early']);
const GATEWAY_ANSWER = /^\{"error_msg":"[a-z ]+"\}\n$/;

/** Sends requests, pipelined now and then, over as many connections as it takes, and checks every byte that comes back. */
export async function runCrossTalkClient(options: CrossTalkClientOptions): Promise<void> {
  const { random } = options;
  let made = 0;
  while (made < options.requests) {
    const stream = new ByteStream(await options.connect());
    let usable = true;
    while (usable && made < options.requests) {
      const batch = Array.from({ length: random() < 0.3 ? 3 : 1 }, () => makeWork(options, ++made));
      const sending = sendAll(stream, batch, random);
      usable = await readAnswers(stream, batch, options);
      if (!usable) stream.socket.destroy();
      await sending;
    }
    stream.socket.destroy();
  }
}

function makeWork({ number, random, largestBytes }: CrossTalkClientOptions, request: number): Work {
  const size = (): number => {
    const part = random();
    const most = part < 0.15 ? 0 : part < 0.6 ? 1000 : part < 0.92 ? 30_000 : largestBytes;
    return Math.floor(random() * most);
  };
  const pick = random();
  const mode = pick < 0.72 ? 'answer' : (UPSTREAM_MODES[Math.floor(random() * UPSTREAM_MODES.length)] ?? 'answer');
  const fault = random();
  return {
    owner: number * 1000 + request,
    method: (['GET', 'POST', 'PUT'] as const)[Math.floor(random() * 3)] ?? 'GET',
    // One that keeps everybody waiting for its time-out is enough for each client.
    mode: mode === 'be silent' && random() < 0.8 ? 'answer' : mode,
    requestBytes: size(),
    chunked: random() < 0.5,
    responseBytes: mode === 'more behind' ? Math.min(size(), 20_000) : size(),
    fault:
      fault < 0.03
        ? 'bad head'
        : fault < 0.06
          ? 'bad chunk'
          : fault < 0.1
            ? 'leaves in the request'
            : fault < 0.14
              ? 'leaves in the answer'
              : 'none',
  };
}

/** Never rejects: that the peer closes while bytes are on their way is judged where the answers are read. */
async function sendAll(stream: ByteStream, batch: readonly Work[], random: RandomSequence): Promise<void> {
  try {
    for (const work of batch) {
      const { owner, chunked, requestBytes: length } = work;
      const framing = chunked || work.fault === 'bad chunk' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
      const bad = work.fault === 'bad head' ? 'Bad Header: x\r\n' : '';
      const own = `X-Owner: ${owner}\r\nX-Length: ${length}\r\nX-Wanted: ${work.responseBytes}\r\nX-Mode: ${work.mode}\r\n`;
      const head = Buffer.from(`${work.method} /${owner} HTTP/1.1\r\nHost: a\r\n${own}${bad}${framing}\r\n\r\n`);
      const cut = random() < 0.5 ? head.length : Math.floor(random() * head.length);
      await stream.sendAll(head.subarray(0, cut));
      if (cut < head.length) {
        await turns(Math.floor(random() * 4));
        await stream.sendAll(head.subarray(cut));
      }
      const body = { owner, length, chunked: chunked || work.fault === 'bad chunk' };
      if (work.fault === 'leaves in the request') {
        await sendStamped(stream, body, random, Math.floor(length / 2) - 1);
        // A TLS socket knows no reset.
        if (random() < 0.5 && !(stream.socket instanceof TLSSocket)) stream.socket.resetAndDestroy();
        else stream.socket.destroy();
        return;
      }
      if (work.fault === 'bad chunk') {
        await sendStamped(stream, body, random, length - 1);
        await stream.sendAll(Buffer.from('3;\nxxx\r\n'));
      } else {
        await sendStamped(stream, body, random);
      }
    }
  } catch {
    // Closed by the gateway or by ourselves.
  }
}

/** Reads the answers in order; whether the connection goes on. */
async function readAnswers(stream: ByteStream, batch: readonly Work[], options: CrossTalkClientOptions): Promise<boolean> {
  for (const work of batch) {
    try {
      if (!(await readAnswer(stream, work, options))) return false;
    } catch (error) {
      // A connection takes answers along that were still on their way when the client leaves it, or when it is reset: what a slow
      // reader has not taken of an answer that is cut off is not waited for.
      const excused = batch.slice(batch.indexOf(work)).some(({ fault, mode }) => fault !== 'none' || FAILING.has(mode));
      const text = String(error);
      if (!excused || !text.includes('the stream ended'))
        options.findings.foreign.push(`answer to ${describe(work)} among ${batch.map(describe).join(', ')}: ${text.slice(0, 300)}`);
      options.findings.cut++;
      return false;
    }
  }
  return true;
}

async function readAnswer(stream: ByteStream, work: Work, { random, findings }: CrossTalkClientOptions): Promise<boolean> {
  let head = await stream.takeThrough('\r\n\r\n');
  while (head.startsWith('HTTP/1.1 1')) head = await stream.takeThrough('\r\n\r\n');
  const status = Number(head.slice(9, 12));
  const closes = head.includes('\r\nConnection: close\r\n');
  const value = (name: string): string => new RegExp(`\\r\\n${name}: ([^\\r]*)\\r\\n`).exec(head)?.[1] ?? '';
  if (work.fault === 'leaves in the answer') return false;
  if (status !== 200) {
    const body = (await stream.takeBytes(Number(value('Content-Length')))).toString('latin1');
    const allowed = allowedStatuses(work);
    if (!allowed.includes(status) || !GATEWAY_ANSWER.test(body)) findings.foreign.push(`${describe(work)} was answered ${head}${body}`);
    findings.refused++;
    return !closes;
  }
  const owner = responseOwner(work.owner);
  if (Number(value('X-Owner')) !== owner) throw new Error(`${describe(work)} got the answer of ${value('X-Owner')}`);
  await readStamped(stream, { owner, length: work.responseBytes, chunked: head.includes('\r\nTransfer-Encoding: chunked\r\n') }, random);
  findings.answered++;
  return !closes;
}

function allowedStatuses({ fault, mode }: Work): readonly number[] {
  if (fault === 'bad head' || fault === 'bad chunk') return [400, 502];
  if (mode === 'be silent') return [504];
  return FAILING.has(mode) ? [502] : [];
}

function describe({ owner, method, mode, fault, requestBytes, responseBytes, chunked }: Work): string {
  return `${method} ${owner} (${mode}, ${fault}, ${requestBytes}${chunked ? ' chunked' : ''} bytes, ${responseBytes} wanted)`;
}
