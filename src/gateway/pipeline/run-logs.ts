import { isThenable } from '../../lib/is-thenable.ts';
import type { Logger } from '../../observability/index.ts';
import type { PluginChain } from '../runtime/index.ts';
import { failureFields } from './failure-fields.ts';
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
    context.entersPlugin(member.number);
    try {
      const result: unknown = run(context);
      if (!isThenable(result)) continue;
      // Nobody waits for it; but it may keep the request beyond its end, and what it throws must not end the thread.
      context.reusable = false;
      const fields = failureFields(context, { plugin: member.name, phase: 'log' });
      Promise.resolve(result).catch((error: unknown) => log.error('a plugin failed', fields, error));
    } catch (error) {
      log.error('a plugin failed', failureFields(context, { plugin: member.name, phase: 'log' }), error);
    }
  }
}
