import type { InstanceReport } from '../store/instance-registry.ts';
import type { FrameConnection } from './frame-connection.ts';
import type { HealthReport } from './health-report.ts';
import type { InstanceName } from './instance-name.ts';
import type { AppliedMessage, StateCheckedMessage } from './protocol.ts';

/** How far an instance has come. `lagging`: it missed a wait, reads too slowly or refused a revision. */
export type InstanceState = 'current' | 'loading' | 'lagging';

/** What an instance says of itself when it comes, and when that was. */
export interface InstanceFacts {
  /** Wall clock. */
  readonly connectedAtMs: number;
  readonly softwareVersion: string;
  readonly hostname?: string | undefined;
  /** By which it reaches its control plane. */
  readonly address?: string | undefined;
  readonly cores?: number | undefined;
  readonly workers?: number | undefined;
}

/** What can be said of a connected instance. */
export interface InstanceStatus extends InstanceFacts {
  readonly instanceId: string;
  readonly groupId: string;
  /** In force there; 0 when nothing of this history is. */
  readonly revision: number;
  readonly state: InstanceState;
  /** The revision that it could not put in force, and why, as long as it has not come further. What was before is in force there. */
  readonly refused?: { readonly revision: number; readonly reason: string };
  /** The last revision at which what it holds was compared with what it should hold, and how they differed, if they did. */
  readonly compared?: ComparedState;
  /** What it last said of the nodes of its upstreams; absent as long as it has said nothing. */
  readonly health?: HealthReport & { /** Wall clock. */ readonly reportedAtMs: number };
}

/** What an instance holds at a revision was compared with what it should hold. */
export interface ComparedState {
  readonly revision: number;
  /** Absent: nothing differed. */
  readonly difference?: string;
}

/** What has to be done for an instance next. */
export type NextStep =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'delta'; readonly fromRevision: number };

/** Below every revision: the instance holds nothing that a delta could build on. */
const NONE = -1;
/** Longest reason of a refusal that is kept. */
const MAX_REASON = 1024;

/** What is known of one sync connection: what was sent, what was answered, and whether a write waits for it. */
export class ConnectedInstance {
  readonly name: InstanceName;
  readonly connection: FrameConnection;
  readonly #facts: InstanceFacts;
  readonly #connectionId: number;
  /** What the instance said to hold when it came, be it of use or not. */
  readonly #heldAtHello: number;
  #sent: number;
  /** The highest that was ever sent on this connection. */
  #mostSent: number;
  #applied: number;
  /** Answers that it owes: one may come with the welcome, and one for each snapshot and for each delta that leads further than any before. */
  #answersDue = 1;
  #refused = NONE;
  #refusal = '';
  #wantsSnapshot = false;
  #sendingSnapshot = false;
  /** A snapshot of the revision that is in force already is answered with nothing that the numbers could tell. */
  #awaitsSnapshotAnswer = false;
  #hasCaughtUp = false;
  #isLagging = false;
  #health: InstanceStatus['health'];
  #compared: ComparedState | undefined;
  #snapshotCount = 0;

  constructor(options: {
    readonly name: InstanceName;
    readonly connection: FrameConnection;
    readonly facts: InstanceFacts;
    readonly connectionId: number;
    readonly heldRevision: number;
    /** As in `HelloMessage`. */
    readonly followedRevision?: number | undefined;
    /** What it holds is of this control plane's history, so that a delta fits it. */
    readonly isHistoryAccepted: boolean;
    readonly newestRevision: number;
  }) {
    this.name = options.name;
    this.connection = options.connection;
    this.#facts = options.facts;
    this.#connectionId = options.connectionId;
    this.#heldAtHello = options.heldRevision;
    const { heldRevision, followedRevision = heldRevision } = options;
    this.#applied = options.isHistoryAccepted ? Math.min(heldRevision, followedRevision) : NONE;
    this.#sent = options.isHistoryAccepted ? heldRevision : NONE;
    this.#mostSent = this.#sent;
    this.#noteProgress(options.newestRevision);
  }

  /** A write waits for it. */
  get isAwaited(): boolean {
    // One that has refused to give up another history has nothing that the next write could build on.
    return this.#hasCaughtUp && !this.#isLagging && this.#applied !== NONE;
  }

  /** In force there, when nothing else is on its way; undefined otherwise. */
  get settledRevision(): number | undefined {
    const isExpected = this.takesSnapshot || this.#awaitsSnapshotAnswer;
    const isSettled = !this.connection.isClosed && !isExpected && this.#sent === this.#applied && this.#applied !== NONE;
    return isSettled ? this.#applied : undefined;
  }

  /** A snapshot is on its way, or about to be: one more would bring nothing. */
  get takesSnapshot(): boolean {
    return this.#wantsSnapshot || this.#sendingSnapshot;
  }

  /** Snapshots that were sent to their end on this connection. */
  get snapshotCount(): number {
    return this.#snapshotCount;
  }

  hasApplied(revision: number): boolean {
    return this.#applied >= revision;
  }

  /** It will say no more about this revision. */
  hasAnswered(revision: number): boolean {
    return Math.max(this.#applied, this.#refused) >= revision;
  }

  status(): InstanceStatus {
    return {
      ...this.name,
      revision: Math.max(0, this.#applied),
      state: this.#state(),
      ...this.#facts,
      ...(this.#refused > this.#applied ? { refused: { revision: this.#refused, reason: this.#refusal } } : {}),
      ...(this.#compared === undefined ? {} : { compared: this.#compared }),
      ...(this.#health === undefined ? {} : { health: this.#health }),
    };
  }

  /** As other control planes are told. */
  report(isConnected: boolean): InstanceReport {
    const { health: _health, ...status } = this.status();
    const answeredRevision = Math.max(0, this.#applied, this.#refused);
    return { ...status, answeredRevision, connectionId: this.#connectionId, isConnected, isAwaited: this.isAwaited };
  }

  noteHealth({ nodes, omitted }: HealthReport, reportedAtMs: number): void {
    this.#health = { nodes, omitted, reportedAtMs };
  }

  noteChecked({ revision, outcome, reason }: StateCheckedMessage): void {
    this.#compared = outcome === 'same' ? { revision } : { revision, difference: (reason ?? '').slice(0, MAX_REASON) };
  }

  /** What to send so that it comes to `newestRevision`. */
  nextStep(newestRevision: number): NextStep {
    if (this.connection.isClosed || this.#sendingSnapshot || this.connection.isCongested) return { kind: 'nothing' };
    if (this.#wantsSnapshot) return { kind: 'snapshot' };
    if (this.#sent >= newestRevision || this.#refused >= newestRevision) return { kind: 'nothing' };
    if (this.#sent !== NONE) return { kind: 'delta', fromRevision: this.#sent };
    // It has refused to go back behind what it has seen; a snapshot for every write would end the same way.
    if (this.#refused !== NONE && newestRevision < this.#heldAtHello) return { kind: 'nothing' };
    return { kind: 'snapshot' };
  }

  /** True when it reads too slowly to be sent more. It is lagging then. */
  noteCongestion(): boolean {
    if (this.#sendingSnapshot || !this.connection.isCongested) return false;
    this.#isLagging = true;
    return true;
  }

  noteWaitMissed(): void {
    this.#isLagging = true;
  }

  noteSnapshotRequest(): void {
    // The one that is on its way will do.
    if (!this.#sendingSnapshot) this.#wantsSnapshot = true;
  }

  noteSnapshotBegun(): void {
    this.#sendingSnapshot = true;
    this.#wantsSnapshot = false;
    this.#answersDue += 1;
  }

  noteSnapshotSent(revision: number): void {
    this.#sendingSnapshot = false;
    this.#awaitsSnapshotAnswer = true;
    this.#snapshotCount += 1;
    this.#sent = revision;
  }

  noteDeltaSent(toRevision: number): void {
    this.#sent = toRevision;
    // What is sent again after a refusal is none: who refuses the same for ever would be owed an answer for ever.
    if (toRevision > this.#mostSent) this.#answersDue += 1;
    this.#mostSent = Math.max(this.#mostSent, toRevision);
  }

  /** Whether the answer that came is one that it owed; it owes one less then. */
  takeAnswerDue(): boolean {
    if (this.#answersDue === 0) return false;
    this.#answersDue -= 1;
    return true;
  }

  /** @returns false when the answer speaks of something that was never sent */
  noteAnswer(answer: AppliedMessage, newestRevision: number): boolean {
    this.#awaitsSnapshotAnswer = false;
    if (answer.outcome === 'applied') {
      if (answer.revision > this.#sent) return false;
      this.#applied = answer.revision;
    } else {
      // It may have refused a revision of another history, before the store was set back.
      if (answer.revision > newestRevision) return true;
      this.#refused = answer.revision;
      this.#refusal = (answer.reason ?? '').slice(0, MAX_REASON);
      // What comes next has to build on what it kept.
      if (this.#sent >= answer.revision) this.#sent = this.#applied;
    }
    this.#noteProgress(newestRevision);
    return true;
  }

  #noteProgress(newestRevision: number): void {
    if (!this.hasAnswered(newestRevision)) return;
    this.#hasCaughtUp = true;
    this.#isLagging = false;
  }

  #state(): InstanceState {
    if (!this.#hasCaughtUp) return 'loading';
    return this.#isLagging || this.#refused > this.#applied ? 'lagging' : 'current';
  }
}
