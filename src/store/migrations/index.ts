import { firstSchema } from './0001-first-schema.ts';
import type { Migration } from './migration.ts';

/** All steps, oldest first. */
export const MIGRATIONS: readonly Migration[] = [firstSchema];

export type { Migration } from './migration.ts';
