import type { Socket } from 'node:net';
import { FRAME } from '../http2-frames.ts';
import { type RandomSequence, turns } from '../stamped-body.ts';
import { CONNECTION_FAULTS, type ConnectionFault } from './connection-faults.ts';
import { describeCall, makeCall, problemOf } from './fuzz-call.ts';
import { anyCode, sendRequest } from './fuzz-request.ts';
import { FuzzSession } from './fuzz-session.ts';
import type { FuzzStream } from './fuzz-stream.ts';

/** What was seen. The run is good when `problems` is empty. */
export interface FuzzFindings {
  /** One sentence for each frame, byte or answer that must not be. */
  readonly problems: string[];
  calls: number;
  /** Calls with their own whole answer. */
  answered: number;
  /** Calls that the client has cancelled, or whose connection it has ended. */
  cancelled: number;
  /** Connections that the gateway has ended for an offence. */
  ended: number;
}

/** One hostile connection. */
export interface FuzzClientOptions {
  readonly number: number;
  readonly calls: number;
  readonly largestBytes: number;
  readonly random: RandomSequence;
  readonly findings: FuzzFindings;
  connect(): Promise<Socket>;
}

/** Frames that carry nothing, of which a gateway takes so many and no more. */
const MOST_NOISE = 500;
const MOST_GROWTH_BYTES = 60_000;
const LOW_WINDOW_BYTES = 20_000;

/**
 * Makes calls on one connection, many at once, with offences on some streams, and ends it in order, by an offence or suddenly. Every call
 * without an offence has to get its own answer.
 */
export async function runFuzzClient(options: FuzzClientOptions): Promise<void> {
  const { random, findings } = options;
  const socket = await options.connect();
  const session = new FuzzSession(socket, (text) => findings.problems.push(`connection ${options.number}: ${text}`));
  session.begin(random() < 0.5 ? [] : [anySetting(random)]);
  let made = 0;
  let done = false;
  const work = async (): Promise<void> => {
    while (made < options.calls && !session.closed) await makeOneCall(session, options, ++made);
  };
  const noise = makeNoise(session, random, () => done);
  await Promise.all(Array.from({ length: 1 + Math.floor(random() * 16) }, work));
  if (session.closed) findings.problems.push(`connection ${options.number} was closed, with ${session.goawayCode ?? 'no code'}`);
  await session.until(() => session.settled);
  await endConnection(session, options);
  done = true;
  await noise;
  socket.destroy();
}

async function makeOneCall(
  session: FuzzSession,
  { number, largestBytes, random, findings }: FuzzClientOptions,
  made: number,
): Promise<void> {
  const call = makeCall(number * 1000 + made, largestBytes, random);
  const stream = session.open(call);
  findings.calls++;
  await sendRequest(session, stream, random);
  if (call.fault === 'cancels in the answer') {
    const enough = Math.floor(random() * call.responseBytes);
    await session.until(() => stream.over || stream.receivedBytes >= enough);
    if (!stream.over) session.cancel(stream, anyCode(random));
  }
  await session.until(() => stream.over);
  const { outcome } = stream;
  if (stream.cancelled) findings.cancelled++;
  else if (session.closed) findings.problems.push(`${describeCall(call)} was under way when the connection was closed`);
  else {
    const problem = problemOf(call, outcome);
    if (problem !== undefined) findings.problems.push(problem);
    if (outcome.isWhole && outcome.status === 200) findings.answered++;
  }
  // What it has not sent of a request that is answered already is given up, as RFC 9113 §8.1 allows.
  if (!stream.sentEnd && !stream.cancelled && stream.resetCode === undefined && !session.closed) session.cancel(stream, 0);
}

/** Opens windows, slowly, and sends what is allowed at any time. */
async function makeNoise(session: FuzzSession, random: RandomSequence, isDone: () => boolean): Promise<void> {
  let left = MOST_NOISE;
  while (!isDone() && !session.closed) {
    if (session.receiveWindow < LOW_WINDOW_BYTES && random() < 0.5) session.grow(undefined, someBytes(random));
    for (const stream of session.streams.values()) {
      if (stream.over) {
        if (stream.silenced || stream.ended) continue;
      } else if (stream.receiveWindow < LOW_WINDOW_BYTES && random() < 0.3) session.grow(stream, someBytes(random));
    }
    if (left > 0 && random() < 0.2) {
      left--;
      makeOneNoise(session, random);
    }
    await turns(1 + Math.floor(random() * 3));
  }
}

function makeOneNoise(session: FuzzSession, random: RandomSequence): void {
  const pick = random();
  if (pick < 0.3) session.ping(() => {});
  else if (pick < 0.6) session.changeSettings(random() < 0.5 ? [anySetting(random)] : [anySetting(random), anySetting(random)]);
  else if (pick < 0.7)
    session.send(0x20 + Math.floor(random() * 200), Math.floor(random() * 256), anyStream(session, random), Buffer.alloc(20));
  else if (pick < 0.8) session.send(FRAME.priority, 0, 1 + 2 * Math.floor(random() * 500), Buffer.of(0, 0, 0, 0, 7));
  else {
    // Of a stream that is over: the gateway may have forgotten it, and may not mind.
    const over = [...session.streams.values()].filter(({ ended, resetCode }) => ended || resetCode !== undefined);
    const stream = over[Math.floor(random() * over.length)];
    if (stream !== undefined) session.send(FRAME.windowUpdate, 0, stream.id, Buffer.of(0, 0, 0, 1));
  }
}

/** SETTINGS_HEADER_TABLE_SIZE, SETTINGS_INITIAL_WINDOW_SIZE, SETTINGS_MAX_FRAME_SIZE or one that nobody knows. */
function anySetting(random: RandomSequence): readonly [number, number] {
  const pick = random();
  if (pick < 0.3) return [1, [0, 100, 4096, 65_536][Math.floor(random() * 4)] ?? 0];
  if (pick < 0.8) return [4, [0, 1, 1000, 65_535, 300_000][Math.floor(random() * 5)] ?? 0];
  if (pick < 0.9) return [5, 16_384 + Math.floor(random() * 1_000_000)];
  return [0x1000 + Math.floor(random() * 100), Math.floor(random() * 2 ** 32)];
}

function someBytes(random: RandomSequence): number {
  return 1 + Math.floor(random() * (random() < 0.05 ? 100 : MOST_GROWTH_BYTES));
}

function anyStream(session: FuzzSession, random: RandomSequence): number {
  return Math.floor(random() * session.nextId);
}

async function endConnection(session: FuzzSession, options: FuzzClientOptions): Promise<void> {
  const { random, findings, number } = options;
  if (session.closed) return;
  const late = Array.from({ length: Math.floor(random() * 5) }, (_, index) => {
    const call = makeCall(number * 1000 + 900 + index, options.largestBytes, random);
    return session.open({ ...call, fault: 'none', mode: 'answer' });
  });
  const pick = random();
  if (pick < 0.2) await endSuddenly(session, late, options);
  else if (pick < 0.4) await endInOrder(session, late, options);
  else {
    const fault = CONNECTION_FAULTS[Math.floor(random() * CONNECTION_FAULTS.length)];
    for (const stream of late) void sendRequest(session, stream, random);
    await turns(Math.floor(random() * 4));
    if (fault !== undefined) await endByOffence(session, fault, findings);
    findings.cancelled += late.length;
  }
  findings.calls += late.length;
}

async function endSuddenly(session: FuzzSession, late: readonly FuzzStream[], { random, findings }: FuzzClientOptions): Promise<void> {
  for (const stream of late) void sendRequest(session, stream, random);
  await turns(Math.floor(random() * 10));
  session.socket.destroy();
  findings.cancelled += late.length;
}

/** A client that says that it goes still gets the answers that it waits for. */
async function endInOrder(session: FuzzSession, late: readonly FuzzStream[], { random, findings }: FuzzClientOptions): Promise<void> {
  const sending = late.map((stream) => sendRequest(session, stream, random));
  session.send(FRAME.goaway, 0, 0, Buffer.alloc(8));
  await Promise.all(sending);
  await session.until(() => late.every(({ over }) => over));
  for (const { call, outcome } of late) {
    const problem = problemOf(call, outcome);
    if (problem !== undefined) findings.problems.push(`behind GOAWAY: ${problem}`);
    else findings.answered++;
  }
}

async function endByOffence(session: FuzzSession, fault: ConnectionFault, findings: FuzzFindings): Promise<void> {
  session.receiveWindow += fault.growsBy ?? 0;
  session.socket.write(fault.bytes(session.nextId));
  await session.until(() => false);
  findings.ended++;
  const code = session.goawayCode;
  if (code === undefined || !fault.codes.includes(code)) findings.problems.push(`${fault.name} ended with ${code ?? 'no code'}`);
}
