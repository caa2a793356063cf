import type { StartedPostgres } from '../../test-support/postgres-server.ts';
import { killIfThere, type RunningInstance, until } from '../../test-support/running-instance.ts';

/** What can be killed with SIGKILL; a worker is a thread and ends by the gateway's test hook. */
export type KillKind = 'control plane' | 'gateway' | 'worker' | 'supervisor' | 'everything' | 'database';

/** Kinds after which the test has to start the instance again. */
export const ENDS_INSTANCE: ReadonlySet<KillKind> = new Set(['supervisor', 'everything']);
/** Kinds that may cost what was in flight at the gateway. */
export const REACHES_GATEWAY: ReadonlySet<KillKind> = new Set(['gateway', 'worker', 'supervisor', 'everything']);

/** Kills. Only what the test itself has started is ever signalled. */
export async function kill(kind: KillKind, instance: RunningInstance, database: StartedPostgres | undefined): Promise<void> {
  switch (kind) {
    case 'control plane':
      return killIfThere(instance.child('control-plane'));
    case 'gateway':
      return killIfThere(instance.child('gateway'));
    case 'worker':
      return endWorker(instance);
    case 'supervisor':
      instance.process.kill('SIGKILL');
      return;
    case 'everything':
      return instance.killEverything();
    case 'database':
      if (database === undefined) throw new Error('there is no database of its own to kill');
      await database.kill();
      return database.start();
  }
}

async function endWorker(instance: RunningInstance): Promise<void> {
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/test/worker/0/exit`, { method: 'POST' }).catch(() => undefined);
    return answer?.ok === true;
  }, 'a worker takes the hook');
}
