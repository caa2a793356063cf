import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { addressListeners } from '../instance/instance-endpoints.ts';
import { listenForStop } from '../instance/stop-signals.ts';
import { addSettingOptions, configurationOf } from './setting-options.ts';

/** `demo-upstream`: the little echo server alone, to try a gateway elsewhere. */
export function demoUpstreamVerb(): Command {
  const command = addSettingOptions(
    new Command('demo-upstream').description('Run the demo upstream alone: it answers with what it received.'),
    'demo-upstream',
  );
  return command.action(async () => {
    const { demoHosts, demoPort } = configurationOf(command);
    const { startDemoUpstream } = await import('../../demo-upstream/index.ts');
    const demo = await startDemoUpstream({ listeners: addressListeners(demoPort, demoHosts), clock: systemClock }).catch(
      (error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
          throw new StartError(`Port ${demoPort} is in use: end the program that uses it, or choose another port with --demo-port.`);
        }
        throw error;
      },
    );
    process.stdout.write(`Demo upstream on http://127.0.0.1:${demo.ports[0] ?? demoPort}\n`);
    listenForStop({ onStop: () => void demo.drain(5000).then(() => process.exit(0)), onStopNow: () => process.exit(1) }, () =>
      systemClock.monotonicMs(),
    );
  });
}
