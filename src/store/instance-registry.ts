/** What a control plane tells of one sync connection of a gateway instance. */
export interface InstanceReport {
  readonly groupId: string;
  readonly instanceId: string;
  /** Of this connection, within its control plane. */
  readonly connectionId: number;
  readonly isConnected: boolean;
  /** Writes wait for it. */
  readonly isAwaited: boolean;
  readonly state: 'current' | 'loading' | 'lagging';
  /** In force there; 0 for none. */
  readonly revision: number;
  /** It has put in force or refused everything up to here. */
  readonly answeredRevision: number;
  readonly refused?: { readonly revision: number; readonly reason: string } | undefined;
  /** The last revision at which what it holds was compared with what it should hold, and how they differed, if they did. */
  readonly compared?: { readonly revision: number; readonly difference?: string } | undefined;
  readonly softwareVersion: string;
  readonly hostname?: string | undefined;
  readonly address?: string | undefined;
  readonly cores?: number | undefined;
  readonly workers?: number | undefined;
  /** Wall clock of the control plane. */
  readonly connectedAtMs: number;
}

/** What is known of an instance, whichever control plane it was last connected to. */
export interface RegisteredInstance extends InstanceReport {
  readonly controlPlaneId: string;
  /** By the clock of the registry: since it was last known to be connected. */
  readonly silentMs: number;
}

/**
 * Where the control planes of one installation tell each other which instances are connected to them and what those have in force. A control
 * plane lives while it renews its lease; the instances of one that does not are not connected, whatever it last said.
 */
export interface InstanceRegistry {
  /** Of this process; no two share one. */
  readonly controlPlaneId: string;
  /**
   * Renews the lease, by the clock of the registry, and says which history this control plane goes on with. `histories` are those of the
   * others that live; `wasExpired`: others took this one for dead.
   *
   * @throws PortcullisError (`store_replaced`) when the store is another one; nothing is written then
   */
  renew(historyId: string, leaseMs: number): Promise<{ readonly histories: readonly string[]; readonly wasExpired: boolean }>;
  /**
   * Keeps what was reported and tells the other control planes. A new connection (`joined`) takes the instance over; anything else counts
   * only while the instance has no newer connection.
   */
  report(joined: readonly InstanceReport[], changed: readonly InstanceReport[]): Promise<void>;
  /** All instances of a group, in the order of their ids. */
  list(groupId: string): Promise<readonly RegisteredInstance[]>;
  /** Those of a group whose last connection was to another control plane. */
  listOthers(groupId: string): Promise<readonly RegisteredInstance[]>;
  /** Forgets what has been away for this long; returns how many. */
  forget(silentMs: number): Promise<number>;
  /** Calls `onHint` when another control plane has reported, for a group or, with undefined, for any. Returns the end of the watch. */
  watch(onHint: (groupId: string | undefined) => void): () => Promise<void>;
  /** This control plane lives no longer, and nothing is connected to it. */
  leave(): Promise<void>;
}

/** An instance as a store remembers it. */
export interface RememberedInstance {
  readonly report: InstanceReport;
  /** When it was last known to be connected: wall clock of the control plane. */
  readonly seenAtMs: number;
}

/** What a store that only one control plane uses remembers of instances from one start to the next. */
export interface InstanceMemory {
  load(): Promise<readonly RememberedInstance[]>;
  /** In one transaction. */
  keep(instances: readonly RememberedInstance[]): Promise<void>;
  forget(instances: readonly Pick<InstanceReport, 'groupId' | 'instanceId'>[]): Promise<void>;
}
