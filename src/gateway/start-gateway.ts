import { keepCompiledCode } from '../lib/keep-compiled-code.ts';
import { GatewayAgent } from './agent/gateway-agent.ts';
import { warmUp } from './agent/warm-up.ts';
import type { GatewayOptions, RunningGateway } from './gateway-options.ts';

/**
 * Starts a gateway instance in this process: this thread becomes the agent, each worker gets a thread of its own. Resolves when the
 * status listeners answer; what is kept on disk is served next, with or without a control plane.
 *
 * @throws StartError when a listener or the access log cannot be had
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const agent = await GatewayAgent.start(options);
  // While the workers load, this thread has nothing else to do.
  setImmediate(() => {
    warmUp();
    keepCompiledCode();
  });
  return agent;
}
