import { startDemoUpstream } from '../../demo-upstream/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Listener } from '../../lib/listener.ts';
import { type ChildRole, runUnderSupervisor } from '../../supervisor/index.ts';

/** What the supervisor tells this process. */
export interface DemoUpstreamSettings {
  readonly listeners: readonly Listener[];
}

let stop: ((timeoutMs: number) => Promise<void>) | undefined;

const role: ChildRole = {
  async start(body) {
    // The supervisor is the same program: what it sends has this shape.
    const { listeners } = body as unknown as DemoUpstreamSettings;
    const demo = await startDemoUpstream({ listeners, clock: systemClock });
    stop = (timeoutMs) => demo.drain(timeoutMs);
    return null;
  },
  async drain({ timeoutMs }) {
    await stop?.(timeoutMs);
  },
};

runUnderSupervisor(role);
