import type { UpstreamHandle } from '../../plugin-kit/index.ts';
import type { RuntimeUpstream } from './runtime-upstream.ts';

/** An upstream of a plugin's configuration, or a further one of the service, as the pipeline finds it behind the handle that a plugin got. */
export class PluginUpstream implements UpstreamHandle {
  readonly index: number;
  readonly upstream: RuntimeUpstream;

  constructor(index: number, upstream: RuntimeUpstream) {
    this.index = index;
    this.upstream = upstream;
  }
}
