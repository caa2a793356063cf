import type { Field } from '../hpack-reading.ts';
import { FLAG, FRAME } from '../http2-frames.ts';
import { stampedBytes } from '../stamp.ts';
import { type RandomSequence, turns } from '../stamped-body.ts';
import type { FuzzCall } from './fuzz-call.ts';
import type { FuzzSession } from './fuzz-session.ts';
import type { FuzzStream } from './fuzz-stream.ts';

const PRIORITY = 0x20;
const MOST_PAYLOAD_BYTES = 16_384;
const MOST_INCREMENT = 2 ** 31 - 1;
const CODES: readonly number[] = [0, 1, 2, 5, 7, 8, 11, 99];

/** Sends a request as its call says: in pieces that are padded and cut at random, within the gateway's windows unless the fault is to ignore them. */
export async function sendRequest(session: FuzzSession, stream: FuzzStream, random: RandomSequence): Promise<void> {
  const { call } = stream;
  const hasBody = call.requestBytes > 0 || call.hasTrailers || call.fault === 'trailers without an end' || random() < 0.3;
  sendBlock(session, stream, fieldsOf(call, hasBody), !hasBody, random);
  stream.sentEnd = !hasBody;
  if (call.fault === 'cancels at once') session.cancel(stream, anyCode(random));
  if (call.fault === 'grows by nothing') session.send(FRAME.windowUpdate, 0, stream.id, Buffer.alloc(4));
  // Where the window is 0 or less the first one may still be.
  if (call.fault === 'grows too far') for (let times = 0; times < 2; times++) session.grow(stream, MOST_INCREMENT);
  if (hasBody && !stream.over) await sendBody(session, stream, random);
  if (call.fault === 'data behind the end' && !session.closed && session.sendWindow > 0) {
    session.sendWindow--;
    session.send(FRAME.data, 0, stream.id, Buffer.of(1));
  }
}

function fieldsOf(call: FuzzCall, hasBody: boolean): readonly Field[] {
  const { owner, fault } = call;
  return [
    [':method', call.method],
    [':scheme', 'https'],
    [':path', `/${owner}`],
    [':authority', 'a'],
    ['x-owner', `${owner}`],
    ['x-length', `${call.requestBytes}`],
    ['x-wanted', `${call.responseBytes}`],
    ['x-mode', call.mode],
    ...(call.tellsLength && hasBody ? [['content-length', `${call.requestBytes}`] as const] : []),
    ...(fault === 'bad field' ? [['Bad Field', 'x'] as const] : []),
    ...(fault === 'connection field' ? [['connection', 'close'] as const] : []),
    ...(fault === 'list too long' ? Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'y'] as const) : []),
  ];
}

/** A block in one frame or several, with padding and a priority now and then. */
function sendBlock(session: FuzzSession, stream: FuzzStream, fields: readonly Field[], ends: boolean, random: RandomSequence): void {
  const block = session.encode(fields);
  const padding = random() < 0.2 ? Math.floor(random() * 40) : -1;
  const hasPriority = random() < 0.1;
  const cuts = random() < 0.3 ? [random(), random()].map((part) => Math.floor(part * block.length)).sort((a, b) => a - b) : [];
  const pieces = [...cuts, block.length].map((cut, index) => block.subarray(cuts[index - 1] ?? 0, cut));
  pieces.forEach((piece, index) => {
    const isLast = index === pieces.length - 1 ? FLAG.endHeaders : 0;
    if (index > 0) {
      session.send(FRAME.continuation, isLast, stream.id, piece);
      return;
    }
    const flags = isLast | (ends ? FLAG.endStream : 0) | (padding >= 0 ? FLAG.padded : 0) | (hasPriority ? PRIORITY : 0);
    const front = [...(padding >= 0 ? [padding] : []), ...(hasPriority ? [0, 0, 0, 0, 9] : [])];
    session.send(FRAME.headers, flags, stream.id, Buffer.concat([Buffer.from(front), piece, Buffer.alloc(Math.max(0, padding))]));
  });
}

async function sendBody(session: FuzzSession, stream: FuzzStream, random: RandomSequence): Promise<void> {
  const { call } = stream;
  const { owner, fault, requestBytes } = call;
  const most = random() < 0.3 ? 700 : MOST_PAYLOAD_BYTES - 256;
  const stop = fault === 'cancels in the request' ? Math.floor(random() * requestBytes) : requestBytes;
  const end = fault === 'body too short' ? requestBytes - 1 : stop;
  for (let offset = 0; offset < end; ) {
    const size = Math.min(end - offset, 1 + Math.floor(random() * most));
    const padding = random() < 0.1 ? Math.floor(random() * 200) : -1;
    const length = size + padding + 1;
    const isFree = (): boolean => session.sendWindow >= length && (stream.sendWindow >= length || fault === 'ignores the window');
    await session.until(() => stream.over || isFree());
    // Nothing more is wanted: the stream was reset, or answered early, which ends it too (RFC 9113 §8.1).
    if (session.closed || stream.over) return;
    const ends = offset + size === end && !call.hasTrailers && !fault.includes('in the request') && !keepsOpen(call) && random() < 0.6;
    sendData(session, stream, stampedBytes(owner, offset, size), padding, ends);
    offset += size;
    if (random() < 0.15) await turns(Math.floor(random() * 6));
    if (random() < 0.05) sendData(session, stream, Buffer.alloc(0), -1, false);
    if (stream.sentEnd) return;
  }
  if (session.closed || stream.over) return;
  endBody(session, stream, random);
}

/** Something else than the end of the body is still to follow it. */
function keepsOpen({ fault }: FuzzCall): boolean {
  return fault === 'body too long' || fault === 'trailers without an end';
}

function endBody(session: FuzzSession, stream: FuzzStream, random: RandomSequence): void {
  const { fault, owner, hasTrailers } = stream.call;
  if (fault === 'cancels in the request') session.cancel(stream, anyCode(random));
  else if (fault === 'trailers without an end') {
    sendBlock(session, stream, [['x-stamp', `${owner}`]], false, random);
  } else if (hasTrailers) {
    sendBlock(session, stream, [['x-stamp', `${owner}`]], true, random);
    stream.sentEnd = true;
  } else if (fault === 'body too long') {
    if (session.sendWindow > 0 && stream.sendWindow > 0) sendData(session, stream, Buffer.of(1), -1, false);
    else session.cancel(stream, anyCode(random));
  } else sendData(session, stream, Buffer.alloc(0), -1, true);
}

function sendData(session: FuzzSession, stream: FuzzStream, data: Buffer, padding: number, ends: boolean): void {
  if (stream.sentEnd) return;
  const front = Buffer.from(padding >= 0 ? [padding] : []);
  const payload = Buffer.concat([front, data, Buffer.alloc(Math.max(0, padding))]);
  session.sendWindow -= payload.length;
  stream.sendWindow -= payload.length;
  stream.sentEnd = ends;
  session.send(FRAME.data, (ends ? FLAG.endStream : 0) | (padding >= 0 ? FLAG.padded : 0), stream.id, payload);
}

export function anyCode(random: RandomSequence): number {
  return CODES[Math.floor(random() * CODES.length)] ?? 8;
}
