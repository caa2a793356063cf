import { firstSchema } from './0001-first-schema.ts';
import { lists } from './0003-lists.ts';
import type { Migration } from './migration.ts';

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [firstSchema, lists];

export type { Migration } from './migration.ts';
