import { firstSchema } from './0001-first-schema.ts';
import { lists } from './0003-lists.ts';
import { historyAndAudit } from './0004-history-and-audit.ts';
import type { Migration } from './migration.ts';

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [firstSchema, lists, historyAndAudit];

export type { Migration } from './migration.ts';
