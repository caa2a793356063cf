import { firstSchema } from './0001-first-schema.ts';
import { people } from './0002-people.ts';
import { lists } from './0003-lists.ts';
import { historyAndAudit } from './0004-history-and-audit.ts';
import { usage } from './0005-usage.ts';
import { gatewayInstances } from './0006-gateway-instances.ts';
import { knownKeys } from './0007-known-keys.ts';
import { rememberedInstances } from './0008-remembered-instances.ts';
import type { Migration } from './migration.ts';

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [
  firstSchema,
  people,
  lists,
  historyAndAudit,
  usage,
  gatewayInstances,
  knownKeys,
  rememberedInstances,
];

/** The version of the schema from which on entries of the audit log are chained. */
export const CHAINED_SINCE: number = historyAndAudit.version;

export type { Migration } from './migration.ts';
