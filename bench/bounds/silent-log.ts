import type { Logger } from '../../src/observability/index.ts';

/** Keeps nothing: for parts that are measured alone. */
export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => SILENT };
