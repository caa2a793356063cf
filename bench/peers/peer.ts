import type { TestCertificate } from '../../test-support/test-certificate.ts';
import type { KeyTable } from '../key-table.ts';
import type { Setup } from '../rows/row.ts';
import type { Cores } from '../session/cores.ts';
import type { Session } from '../session/session.ts';

/** What a peer is started with. All peers have the same job: look `apikey` up, set X-Consumer-Username, else 401. */
export interface PeerJob {
  readonly session: Session;
  readonly setup: Setup;
  readonly keys: KeyTable;
  readonly cores: Cores;
  /** Answers everything. */
  readonly upstreamPort: number;
  /** Accepts, reads and never answers; serves `/hang/`. */
  readonly hangingPort: number;
  /** Speaks HTTP/2 in clear; serves `/grpc/`. */
  readonly grpcPort: number;
  /** What clients are served with; undefined: in clear. */
  readonly certificate: TestCertificate | undefined;
  /** An empty folder of the peer's own. */
  readonly folder: string;
}

export interface RunningPeer {
  readonly port: number;
  /** Processes whose time counts: those that carry requests. */
  dataPlane(): readonly number[];
  /** Other processes that belong to it; their time is told apart. */
  others(): readonly number[];
  stop(): Promise<void>;
}

/** Something that can do the job. */
export interface Peer {
  readonly name: string;
  /** Its version, or undefined when it is not installed. */
  version(): string | undefined;
  /** Why it cannot be started like this; undefined when it can. */
  refuses(setup: Setup): string | undefined;
  start(job: PeerJob): Promise<RunningPeer>;
}
