import type { ClientConnection, StreamFacts, StreamOwner, StreamPlan, StreamProtocol, UpstreamTarget } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { isThenable } from '../../lib/is-thenable.ts';
import type { ClosedConnection, MatchedRoute, PhaseResult, RequestSlot, UpstreamHandle, VariableValue } from '../../plugin-kit/index.ts';
import type { EffectiveUpstream } from '../../schema/index.ts';
import { inTime, NodeAttempts } from '../pipeline/index.ts';
import { PluginUpstream, type RuntimeStreamRoute } from '../runtime/index.ts';
import { clientRefusal } from '../tls/index.ts';
import { streamLine } from './stream-line.ts';
import type { StreamSurroundings } from './stream-surroundings.ts';
import { streamVariable } from './stream-variable.ts';
import { upstreamName } from './upstream-name.ts';

const NO_PATH = { path: '', separatorPath: undefined };

/** All that is known of one connection on a stream listener: the plugins' view, the engine's owner and the log's facts in one. */
export class StreamContext implements StreamOwner, ClosedConnection {
  readonly client: ClientConnection;
  readonly protocol: StreamProtocol;
  readonly id: string;
  readonly startedAtMs: number;
  readonly #surroundings: StreamSurroundings;
  readonly #attempts: NodeAttempts;
  readonly #kept = new Map<RequestSlot<unknown>, unknown>();
  #matched: RuntimeStreamRoute | undefined;
  #chosen: UpstreamHandle | undefined;
  #upstream: EffectiveUpstream | undefined;
  #facts: StreamFacts | undefined;
  #waits: (() => void)[] = [];
  #grantedMs = 0;
  /** A plugin has the connection in hand; its state must last until it comes back. */
  #isWithPlugin = false;
  #over = false;

  constructor(surroundings: StreamSurroundings, client: ClientConnection, protocol: StreamProtocol, id: string) {
    const { clock, admission } = surroundings;
    this.#surroundings = surroundings;
    this.client = client;
    this.protocol = protocol;
    this.id = id;
    this.startedAtMs = clock.nowMs();
    this.#attempts = new NodeAttempts(() => clock.monotonicMs(), admission);
  }

  // What plugins see.

  get remoteAddress(): string {
    return this.client.remoteAddress;
  }

  get remotePort(): number {
    return this.client.remotePort;
  }

  get route(): MatchedRoute | undefined {
    return this.#matched;
  }

  get reason(): ErrorReason | undefined {
    return this.#facts?.reason;
  }

  get upstreamAddress(): string | undefined {
    const target = this.#facts?.target;
    if (target === undefined) return undefined;
    return target.address.includes(':') ? `[${target.address}]:${target.port}` : `${target.address}:${target.port}`;
  }

  get attempts(): number {
    return this.#facts?.attempts ?? 0;
  }

  get bytesFromClient(): number {
    return this.#facts?.bytesFromClient ?? 0;
  }

  get bytesToClient(): number {
    return this.#facts?.bytesToClient ?? 0;
  }

  get connectedAtMs(): number {
    return this.#facts?.connectedAtMs ?? 0;
  }

  get finishedAtMs(): number {
    return this.#facts?.finishedAtMs ?? 0;
  }

  variable(name: string): VariableValue {
    return streamVariable(this, name);
  }

  get<Value>(slot: RequestSlot<Value>): Value | undefined {
    // What lies in a slot was put there with the slot's type.
    return this.#kept.get(slot) as Value | undefined;
  }

  set<Value>(slot: RequestSlot<Value>, value: Value): void {
    this.#kept.set(slot, value);
  }

  serviceUpstream(id: string): UpstreamHandle | undefined {
    return this.#matched?.otherUpstreams.get(id);
  }

  useUpstream(upstream: UpstreamHandle): void {
    this.#chosen = upstream;
  }

  beginWait(durationMs: number, end: () => void): void {
    if (this.#over) {
      end();
      return;
    }
    this.#grantedMs += durationMs;
    this.#waits.push(end);
  }

  // What the engine asks.

  decide(): StreamPlan | ErrorReason | Promise<StreamPlan | ErrorReason> {
    const { client, protocol } = this;
    if (this.#surroundings.isTooOld?.() === true) return 'configuration_too_old';
    const route = this.#surroundings.routes.match({
      transport: protocol,
      localPort: client.localPort,
      localAddress: () => client.localAddress(),
      remoteAddress: client.remoteAddress,
      serverName: client.tls?.serverName,
    });
    if (route === undefined) return 'stream_route_not_found';
    // No path is exempt where there is none.
    const refusal = client.tls === undefined ? undefined : clientRefusal(client.tls, undefined, NO_PATH);
    if (refusal !== undefined) return refusal;
    this.#matched = route;
    route.enter();
    return this.#runPlugins(route, 0);
  }

  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason {
    const endpoint = this.#attempts.next(attempt, previousFailure);
    if (typeof endpoint === 'string') return endpoint;
    if (endpoint.secure === undefined || this.#upstream === undefined) return endpoint.target;
    return endpoint.secure.targetFor(upstreamName(this.#upstream, this.client.tls?.serverName, endpoint));
  }

  reached(): void {
    this.#attempts.noteReached();
  }

  ended(facts: StreamFacts): void {
    this.#over = true;
    this.#facts = facts;
    for (const end of this.#waits.splice(0)) end();
    this.#attempts.end({ upstreamStatus: 0, reason: facts.reason, firstByteAtMs: facts.firstByteAtMs });
    this.#runClosed();
    this.#writeLine(facts);
    if (!this.#isWithPlugin) this.#leave();
  }

  /** As long as no plugin waits for anything the decision comes at once. */
  #runPlugins(route: RuntimeStreamRoute, first: number): StreamPlan | ErrorReason | Promise<StreamPlan | ErrorReason> {
    for (let index = first; index < route.preread.length; index++) {
      const step = route.preread[index];
      if (step === undefined || step.member.instance.filter?.(this) === false) continue;
      this.#surroundings.enter(route.number, step.member.number);
      let result: PhaseResult | PromiseLike<PhaseResult>;
      try {
        result = step.run(this);
      } catch (error) {
        return this.#failed(step.member.name, error);
      }
      if (isThenable(result)) return this.#goOnLater(route, index, step.member.name, result);
      if (result !== undefined) return result.reason ?? 'plugin_answer';
    }
    return this.#plan(route);
  }

  async #goOnLater(
    route: RuntimeStreamRoute,
    index: number,
    plugin: string,
    waiting: PromiseLike<PhaseResult>,
  ): Promise<StreamPlan | ErrorReason> {
    const { clock, pluginDeadlineMs } = this.#surroundings;
    this.#isWithPlugin = true;
    const cameBack = (): void => {
      this.#isWithPlugin = false;
      if (this.#over) this.#leave();
    };
    waiting.then(cameBack, cameBack);
    try {
      const result = await inTime(waiting, clock, pluginDeadlineMs, () => this.#takeGrantedTime());
      if (this.#over) return 'client_aborted';
      if (result !== undefined) return result.reason ?? 'plugin_answer';
    } catch (error) {
      return this.#failed(plugin, error);
    }
    return this.#runPlugins(route, index + 1);
  }

  #plan(route: RuntimeStreamRoute): StreamPlan | ErrorReason {
    const upstream = this.#chosen instanceof PluginUpstream ? this.#chosen.upstream : route.upstream;
    const first = this.#attempts.begin(upstream, this);
    if (typeof first === 'string' || upstream === undefined) return typeof first === 'string' ? first : 'no_upstream';
    this.#upstream = upstream.settings;
    const { connectTimeoutMs, sendTimeoutMs, readTimeoutMs } = upstream.settings;
    return { connectTimeoutMs, sendTimeoutMs, idleTimeoutMs: readTimeoutMs };
  }

  #takeGrantedTime(): number {
    const grantedMs = this.#grantedMs;
    this.#grantedMs = 0;
    return grantedMs;
  }

  #runClosed(): void {
    for (const { member, run } of this.#matched?.closed ?? []) {
      try {
        if (member.instance.filter?.(this) !== false) run(this);
      } catch (error) {
        this.#failed(member.name, error);
      }
    }
  }

  #failed(plugin: string, error: unknown): ErrorReason {
    this.#surroundings.log.error('a plugin failed', { plugin, stream_route: this.#matched?.id, request_id: this.id }, error);
    return 'plugin_failed';
  }

  #writeLine(facts: StreamFacts): void {
    const { accessLog, revision, clock } = this.#surroundings;
    const writer = accessLog?.beginLine();
    if (writer === undefined) return;
    writer.appendAscii(streamLine({ id: this.id, revision: revision(), nowMs: clock.nowMs(), route: this.#matched, facts }));
    accessLog?.endLine();
  }

  /** Called once, when nothing uses the plugins' state for this connection any more. */
  #leave(): void {
    this.#matched?.leave();
  }
}
