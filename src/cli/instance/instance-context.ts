import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { Logger } from '../../observability/index.ts';
import { type RunAs, SupervisedChild } from '../../supervisor/index.ts';
import type { Configuration, SecretSettings } from '../configuration/index.ts';
import type { LogSettings } from '../processes/log-settings.ts';
import { childEnvironment } from './child-environment.ts';
import type { InstanceEndpoints, InstanceRoles } from './instance-endpoints.ts';
import { processFile } from './process-files.ts';

/** What all parts of a running instance share. */
export interface InstanceContext {
  readonly configuration: Configuration;
  readonly secrets: SecretSettings;
  readonly roles: InstanceRoles;
  readonly endpoints: InstanceEndpoints;
  readonly runAs: RunAs | undefined;
  readonly softwareVersion: string;
  readonly testHooks: boolean;
  readonly log: Logger;
}

/** The file whose lock stands for the data folder. */
export function lockFileOf(dataFolder: string): string {
  return path.join(dataFolder, 'instance.lock');
}

/** Where the processes of this instance write their events. */
export function logSettingsOf(configuration: Configuration): LogSettings {
  return { file: configuration.logFile ?? null, level: configuration.logLevel };
}

/** A child of this instance, not yet started. */
export function superviseRole(
  context: InstanceContext,
  role: {
    readonly name: 'control-plane' | 'gateway' | 'demo-upstream';
    readonly nodeOptions?: readonly string[];
    /** Variables of the child, where the supervisor's own environment does not say otherwise. */
    readonly environment?: Readonly<Record<string, string>>;
    readonly descriptors: readonly number[];
    /** Variables that the child inherits although they are withheld from children. */
    readonly openedVariables?: readonly string[];
    readonly spareAfterMs?: number;
    readonly settings: () => JsonValue;
    readonly onEvent?: (name: string, body: JsonValue) => void;
  },
): SupervisedChild {
  return new SupervisedChild({
    name: role.name,
    command: {
      file: processFile(`${role.name}-process`),
      nodeOptions: role.nodeOptions ?? [],
      descriptors: role.descriptors,
      environment: childEnvironment(process.env, role.openedVariables, role.environment),
      runAs: context.runAs,
    },
    spareAfterMs: role.spareAfterMs,
    settings: role.settings,
    clock: systemClock,
    log: context.log,
    replacedTimeoutMs: context.configuration.drainTimeoutMs,
    onEvent: role.onEvent ?? (() => {}),
  });
}
