import { createTestCertificate } from '../../test-support/test-certificate.ts';
import { KeyTable } from '../key-table.ts';
import { runLoad } from '../load/run-load.ts';
import { writeWrkScript } from '../load/wrk-script.ts';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import type { Row, Setup } from '../rows/row.ts';
import { groupBySetup } from '../rows/rows.ts';
import { type Cores, coresFor } from '../session/cores.ts';
import type { Session } from '../session/session.ts';
import { startUpstreams } from '../upstream.ts';
import { checkPeer } from './check-peer.ts';
import { measureRound } from './measure-round.ts';
import type { Measurement } from './measurement.ts';

/** Before a row that asks what the row before has asked: the code is compiled already. */
const SHORT_WARM_UP_SECONDS = 2;

export interface RowsRequest {
  readonly session: Session;
  readonly rows: readonly Row[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Hears what is going on. */
  tell(text: string): void;
  /** A row is complete. */
  onRow(row: Row, measurements: readonly Measurement[]): void;
}

interface StartedPeer {
  readonly name: string;
  readonly running: RunningPeer;
}

interface Stage {
  readonly request: RowsRequest;
  readonly keys: KeyTable;
  readonly cores: Cores;
  readonly peers: readonly StartedPeer[];
}

/** Measures rows one after the other; inside a row, all peers in turn, round by round. */
export async function measureRows(request: RowsRequest): Promise<void> {
  let number = 0;
  for (const rows of groupBySetup(request.rows)) {
    const [{ setup }] = rows;
    const stage = { request, keys: new KeyTable(setup.keys), cores: coresFor(setup.workers) };
    const certificate = setup.tls ? await createTestCertificate() : undefined;
    const upstreams = await startUpstreams(request.session, stage.cores.load);
    const peers: StartedPeer[] = [];
    for (const peer of peersFor(request, rows, setup)) {
      request.tell(`starting ${peer.name} with ${setup.keys.toLocaleString('en')} keys ...`);
      const folder = request.session.makeFolder(`${number++}-${peer.name}`);
      const { port: upstreamPort, hangingPort, grpcPort } = upstreams;
      const running = await peer.start({
        ...stage,
        session: request.session,
        setup,
        certificate,
        upstreamPort,
        hangingPort,
        grpcPort,
        folder,
      });
      peers.push({ name: peer.name, running });
    }
    for (const [index, row] of rows.entries()) {
      const isKnown = JSON.stringify(rows[index - 1]?.request) === JSON.stringify(row.request);
      const warmUpSeconds = isKnown ? SHORT_WARM_UP_SECONDS : request.warmUpSeconds;
      request.onRow(row, await measureRow({ ...stage, peers: peers.filter(({ name }) => canDo(row, name)) }, row, warmUpSeconds));
    }
    await Promise.all(peers.map(({ running }) => running.stop()));
    await upstreams.stop();
  }
}

function peersFor({ peers, tell }: RowsRequest, rows: readonly Row[], setup: Setup): readonly Peer[] {
  return peers.filter((peer) => {
    if (!rows.some((row) => canDo(row, peer.name))) return false;
    const reason = peer.refuses(setup);
    if (reason !== undefined) tell(`${peer.name} is left out of ${rows.map(({ name }) => name).join(', ')}: ${reason}`);
    return reason === undefined;
  });
}

function canDo(row: Row, peer: string): boolean {
  return row.onlyPeers?.includes(peer) ?? true;
}

async function measureRow(stage: Stage, row: Row, warmUpSeconds: number): Promise<readonly Measurement[]> {
  const { request, keys, cores, peers } = stage;
  const { session, rounds, seconds } = request;
  request.tell(
    `${row.name}: warming up, then ${rounds} rounds of ${seconds} s for each of ${peers.map(({ name }) => name).join(', ')} ...`,
  );
  const script = writeWrkScript(`${session.folder}/load`, row.request, keys);
  for (const { name, running } of peers) {
    await checkPeer(name, running, row, keys);
    await runLoad(row, { session, cores: cores.load, script, port: running.port, connections: row.connections, seconds: warmUpSeconds });
  }
  const measurements: Measurement[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { name, running } of peers) {
      measurements.push(await measureRound({ session, row, keys, cores, peerName: name, peer: running, round, seconds }));
    }
  }
  return measurements;
}
