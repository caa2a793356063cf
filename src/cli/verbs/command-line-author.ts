import type { Author } from '../../store/index.ts';

/** Who has done what a verb does, in the audit log. */
export const COMMAND_LINE_AUTHOR: Author = { id: 'cli', name: 'command line' };
