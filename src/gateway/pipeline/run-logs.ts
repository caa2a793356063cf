import { isThenable } from '../../lib/is-thenable.ts';
import type { Logger } from '../../observability/index.ts';
import type { PluginChain } from '../runtime/index.ts';
import type { RequestContext } from './request-context.ts';

/** Runs the log phases of a request that is over, those of global rules first. One that fails hinders no other. */
export function runLogs(context: RequestContext, log: Logger): void {
  const { global, own } = context.chains;
  runChain(context, global, log);
  runChain(context, own, log);
}

function runChain(context: RequestContext, chain: PluginChain, log: Logger): void {
  for (const { member, run } of chain.logs) {
    if (!context.runs(member.instance)) continue;
    const route = context.candidate?.route.id;
    const { requestId } = context;
    const failed = (error: unknown): void => {
      const fields = { plugin: member.name, phase: 'log', request_id: requestId, ...(route === undefined ? {} : { route }) };
      log.error('a plugin failed', fields, error);
    };
    try {
      const result: unknown = run(context);
      // Nobody waits for it; but it may keep the request beyond its end, and what it throws must not end the thread.
      if (isThenable(result)) {
        context.reusable = false;
        Promise.resolve(result).catch(failed);
      }
    } catch (error) {
      failed(error);
    }
  }
}
