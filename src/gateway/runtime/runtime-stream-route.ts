import type { MatchedRoute } from '../../plugin-kit/index.ts';
import type { RuntimeService } from './compile-service.ts';
import type { HeldChain } from './held-chain.ts';
import type { ChainMember, LaterStep } from './plugin-chain.ts';
import type { PluginUpstream } from './plugin-upstream.ts';
import type { RuntimeUpstream } from './runtime-upstream.ts';

type Run<Phase extends 'preread' | 'closed'> = NonNullable<ChainMember['instance'][Phase]>;

/** What a stream route is made of once it is compiled. */
export interface RuntimeStreamRouteParts {
  readonly id: string;
  /** Its name on the worker board. */
  readonly number: number;
  readonly name: string;
  readonly service: RuntimeService;
  readonly plugins: HeldChain;
}

/** A stream route ready to serve. It never changes: a change makes a new one, and the old one lives until its last connection has ended. */
export class RuntimeStreamRoute implements MatchedRoute {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly pattern = '';
  readonly hostPattern = '';
  readonly upstream: RuntimeUpstream | undefined;
  readonly otherUpstreams: ReadonlyMap<string, PluginUpstream>;
  readonly preread: readonly LaterStep<Run<'preread'>>[];
  readonly closed: readonly LaterStep<Run<'closed'>>[];
  /** Names of its plugins and of those inside them. */
  readonly pluginNames: ReadonlySet<string>;
  readonly #plugins: HeldChain;

  constructor({ id, number, name, service, plugins }: RuntimeStreamRouteParts) {
    const { members } = plugins.chain;
    this.id = id;
    this.number = number;
    this.name = name;
    this.serviceId = service.id;
    this.serviceName = service.settings.name;
    this.upstream = service.upstream;
    this.otherUpstreams = service.others;
    this.preread = stepsOf(members, ({ instance }) => instance.preread);
    this.closed = stepsOf(members, ({ instance }) => instance.closed);
    this.pluginNames = new Set(members.flatMap(({ name: plugin, nested }) => [plugin, ...nested]));
    this.#plugins = plugins;
  }

  /** A connection begins to use the route. */
  enter(): void {
    this.#plugins.enter();
  }

  /** A connection that entered has ended. */
  leave(): void {
    this.#plugins.leave();
  }

  /** No connection begins any more; the plugins' state goes with the last one. Called once. */
  retire(): void {
    this.#plugins.retire();
  }
}

function stepsOf<Found>(members: readonly ChainMember[], runOf: (member: ChainMember) => Found | undefined): readonly LaterStep<Found>[] {
  return members.flatMap((member) => {
    const run = runOf(member);
    return run === undefined ? [] : [{ member, run }];
  });
}
