/**
 * What a control plane and a gateway say to each other over mutual TLS.
 *
 * The gateway opens `GET /sync HTTP/1.1` with `Upgrade: portcullis-sync`; after `101` both sides send frames: four bytes of
 * length (big endian, of what follows), then one JSON message in UTF-8. Group and instance come from the client certificate,
 * never from a message. Unknown fields and unknown kinds of messages are ignored, so that version N talks to N-1.
 */
import type { HealthReport } from './health-report.ts';
import type { KindHash } from './state-hash/state-hash.ts';
import type { UsageKept, UsageReport } from './usage-report.ts';

export const PROTOCOL_VERSION = 1;
export const OLDEST_PROTOCOL_VERSION = 1;
export const SYNC_PATH = '/sync';
export const SYNC_UPGRADE = 'portcullis-sync';
/** In the answer to an upgrade that was refused: why, for people. */
export const REASON_HEADER = 'Portcullis-Reason';
/** A frame above this size is a broken or hostile peer. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Both sides send a heartbeat this often, and say so in `hello` and `welcome`, … */
export const HEARTBEAT_INTERVAL_MS = 2_000;
/** … and close a connection on which nothing has arrived for three times as long as the peer has said, or for this long. */
export const SILENCE_LIMIT_MS = 15_000;

/**
 * An Ed25519 signature, in base64, made by the control plane. It covers the group, the kind, the revisions and the exact bytes of
 * every payload (see `signing.ts`). Payloads therefore travel as JSON text inside the JSON message: what is verified is what is parsed.
 */
export interface Signed {
  readonly signature: string;
}

/** From the gateway: who I am in software, and what I hold. */
export interface HelloMessage {
  readonly kind: 'hello';
  readonly protocol: number;
  readonly oldestProtocol: number;
  readonly softwareVersion: string;
  /** The revision in force: the control plane answers with a delta from there, where it has one. 0 for none: it sends a snapshot. */
  readonly revision: number;
  /**
   * Of this revision it is known that all processes of the instance that answer requests have it in force; `applied` follows when they have `revision`.
   * Absent: they have.
   */
  readonly followedRevision?: number | undefined;
  /** `history` of the delta or snapshot that made the revision. Without it no delta is built upon the revision. */
  readonly history?: string | undefined;
  /** A heartbeat comes at least this often. Absent from gateways that send one every five seconds. */
  readonly heartbeatMs?: number;
  /** For people; none of it decides anything. */
  readonly hostname?: string;
  /** The address of the gateway's end of the connection. */
  readonly address?: string;
  readonly cores?: number;
  readonly workers?: number;
}

/** From the gateway: this revision is in force on all workers, or was refused and the one before stays. */
export interface AppliedMessage {
  readonly kind: 'applied';
  readonly revision: number;
  readonly outcome: 'applied' | 'refused';
  /** For people; `crashed` when the process died while the revision was a candidate. */
  readonly reason?: string;
}

/** From the gateway: send a whole snapshot, because what I hold is of no use or my journal has grown too long. */
export interface SnapshotRequestMessage {
  readonly kind: 'snapshot-request';
}

/** From the gateway: what the nodes of its upstreams are taken for. It informs people and changes nothing. */
export interface HealthMessage extends HealthReport {
  readonly kind: 'health';
}

/** From the gateway: how often credentials and routes were used since the last such message. */
export interface UsageMessage extends UsageReport {
  readonly kind: 'usage';
}

/** From the gateway: what it holds at this revision has been compared with a `state-hash`. Control planes that sent none never get it. */
export interface StateCheckedMessage {
  readonly kind: 'state-checked';
  readonly revision: number;
  /** After `different` the control plane sends a snapshot, when it sees fit. */
  readonly outcome: 'same' | 'different';
  /** For people: which kinds of items differ. */
  readonly reason?: string;
}

/** From either side, every few seconds; a silent peer is a dead peer. */
export interface HeartbeatMessage {
  readonly kind: 'heartbeat';
  /** Wall clock in milliseconds. */
  readonly nowMs: number;
  /**
   * From a control plane that has not reached its store for so long that others which share it will soon take it for dead: what it knows may not be the
   * newest, and a gateway that finds another one goes there.
   */
  readonly storeAway?: true;
}

/** From the control plane: the answer to `hello`. */
export interface WelcomeMessage {
  readonly kind: 'welcome';
  readonly protocol: number;
  readonly groupId: string;
  readonly instanceId: string;
  readonly softwareVersion: string;
  /** The group's newest revision: a gateway that has applied it is current. */
  readonly revision: number;
  /**
   * False when what the gateway holds is not of this control plane's history: a snapshot follows, and until that is in force the
   * gateway lays no delta over what it holds and is not current. Absent from control planes that do not tell.
   */
  readonly historyAccepted?: boolean;
  /** Base64 of the salt of `digestKey`. */
  readonly keySalt: string;
  /** Base64 of the SPKI of the Ed25519 key that signs snapshots and deltas. */
  readonly signingKey: string;
  /** A heartbeat comes at least this often. Absent from control planes that send one every five seconds. */
  readonly heartbeatMs?: number;
  /** `usage-kept` follows what is told of usage. Absent from control planes that never say so. */
  readonly acknowledgesUsage?: boolean;
}

/** From the control plane: what the gateway has told of usage up to this message is written. */
export interface UsageKeptMessage extends UsageKept {
  readonly kind: 'usage-kept';
}

/** From the control plane, when the versions do not fit: the gateway keeps serving what it holds and tries again later. */
export interface RejectMessage {
  readonly kind: 'reject';
  readonly reason: string;
}

/** From the control plane, after the welcome and when they change: the authorities that certify control planes and instances. */
export interface AuthoritiesMessage {
  readonly kind: 'authorities';
  /** PEM, the one that issues now first. An instance whose certificate is of another one renews it. */
  readonly authority: string;
}

/**
 * From the control plane: a snapshot comes as start, parts of items, end. The signature in the end covers all parts.
 *
 * The parts are read from the store page by page while writes go on, so an item may already be newer than `revision`, and one
 * deleted meanwhile may be missing; what was written meanwhile comes once more at the end. The delta from `revision` on follows at once and brings every such item to its last state.
 */
export interface SnapshotStartMessage {
  readonly kind: 'snapshot-start';
  readonly revision: number;
  readonly history?: string | undefined;
}

export interface SnapshotPartMessage {
  readonly kind: 'snapshot-part';
  /** JSON text of an array of `SnapshotItem`. */
  readonly payload: string;
}

export interface SnapshotEndMessage extends Signed {
  readonly kind: 'snapshot-end';
  readonly revision: number;
  /** How many items the parts held together. */
  readonly itemCount: number;
}

/**
 * From the control plane: the changes between two revisions, each resource once and whole. So a delta may be laid over any state
 * from `fromRevision` up to `toRevision` and leads to the same result.
 */
export interface DeltaMessage extends Signed {
  readonly kind: 'delta';
  readonly fromRevision: number;
  readonly toRevision: number;
  /**
   * The session of the control plane that sent it (see `history-sessions.ts`), to be named again in `hello`. It is not signed: it
   * only ever leads to a snapshot instead of a delta, and a gateway is free to claim what it likes.
   */
  readonly history?: string | undefined;
  /** JSON text of an array of `SnapshotChange`. */
  readonly payload: string;
}

/**
 * From the control plane, every minute and soon after a snapshot: what the items of the group come to at this revision. It is compared
 * only by a gateway that has exactly this revision in force.
 */
export interface StateHashMessage {
  readonly kind: 'state-hash';
  readonly revision: number;
  /** Gateways leave out kinds that they do not know. */
  readonly kinds: readonly KindHash[];
}

export type GatewayMessage =
  | HelloMessage
  | AppliedMessage
  | SnapshotRequestMessage
  | StateCheckedMessage
  | HealthMessage
  | UsageMessage
  | HeartbeatMessage;
export type ControlPlaneMessage =
  | WelcomeMessage
  | RejectMessage
  | AuthoritiesMessage
  | SnapshotStartMessage
  | SnapshotPartMessage
  | SnapshotEndMessage
  | DeltaMessage
  | StateHashMessage
  | UsageKeptMessage
  | HeartbeatMessage;
