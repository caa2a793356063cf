import type { ChildProcess } from 'node:child_process';
import type { KeyTable } from '../key-table.ts';
import { runLoad } from '../load/run-load.ts';
import { startWrk, type WrkResult, type WrkRun } from '../load/run-wrk.ts';
import { writeWrkScript } from '../load/wrk-script.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Row } from '../rows/row.ts';
import type { Cores } from '../session/cores.ts';
import type { Session } from '../session/session.ts';
import type { Measurement } from './measurement.ts';
import { processMemory } from './process-memory.ts';
import { processTimes } from './process-times.ts';

/** How long a hanging service is asked before the round begins, and how long after its beginning a flood comes. */
const DISTURBANCE_LEAD_MS = 500;

export interface RoundRequest {
  readonly session: Session;
  readonly row: Row;
  readonly keys: KeyTable;
  readonly cores: Cores;
  readonly peerName: string;
  readonly peer: RunningPeer;
  readonly round: number;
  readonly seconds: number;
}

/** Loads one peer once and counts what it used meanwhile. */
export async function measureRound(request: RoundRequest): Promise<Measurement> {
  const { session, row, keys, cores, peer, seconds } = request;
  const script = writeWrkScript(`${session.folder}/load`, row.request, keys);
  const run: WrkRun = { session, cores: cores.load, script, port: peer.port, connections: row.connections, seconds };
  const endDisturbance = await startDisturbance(request, run);
  try {
    const pids = peer.dataPlane();
    const before = processTimes(pids);
    const othersBefore = processTimes(peer.others());
    const load = await runLoad(row, run);
    const after = processTimes(pids);
    const othersAfter = processTimes(peer.others());
    const hasSameProcesses = peer.dataPlane().join() === pids.join();
    return {
      row: row.name,
      peer: request.peerName,
      round: request.round,
      load,
      userUs: after.userUs - before.userUs,
      systemUs: after.systemUs - before.systemUs,
      otherUs: othersAfter.userUs + othersAfter.systemUs - othersBefore.userUs - othersBefore.systemUs,
      ...processMemory(pids),
      fault: hasSameProcesses ? faultOf(row, load) : 'a process was replaced',
    };
  } finally {
    await endDisturbance();
  }
}

/** Begins the disturbance and gives back its end. */
async function startDisturbance({ session, row, keys }: RoundRequest, run: WrkRun): Promise<() => Promise<void>> {
  const { disturbance } = row;
  if (disturbance.kind === 'none') return async () => {};
  const path = disturbance.kind === 'hanging-upstream' ? '/hang/' : row.request.path;
  const script = writeWrkScript(
    `${session.folder}/disturbance`,
    { method: 'GET', path, bodyBytes: 0, key: 'valid', headers: {}, isRecoded: false },
    keys,
  );
  const start = (): ChildProcess => startWrk({ ...run, script, connections: disturbance.connections, seconds: run.seconds + 60 }, 'ignore');
  if (disturbance.kind === 'hanging-upstream') {
    const child = start();
    await new Promise((resolve) => setTimeout(resolve, DISTURBANCE_LEAD_MS));
    return () => session.end(child);
  }
  // A flood finds the measured clients connected already: the question is what becomes of those.
  let child: ChildProcess | undefined;
  const timer = setTimeout(() => {
    child = start();
  }, DISTURBANCE_LEAD_MS);
  return async () => {
    clearTimeout(timer);
    if (child !== undefined) await session.end(child);
  };
}

function faultOf(row: Row, load: WrkResult): string | undefined {
  if (load.requests === 0) return 'nothing was answered';
  const sockets = load.connect + load.read + load.write + load.timeout;
  if (sockets > 0) return `${load.connect} connect, ${load.read} read, ${load.write} write errors, ${load.timeout} time-outs`;
  const refused = row.request.key === 'unknown' ? load.requests - load.status : load.status;
  return refused > 0 ? `${refused} answers with the wrong status` : undefined;
}
