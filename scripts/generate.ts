// Writes anew every file that is made from code. Tests fail when one of them is not what this would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTable } from '../src/cli/configuration/configuration-table.ts';
import { renderErrorsPage } from './generate-errors.ts';
import { renderLimitsPage } from './generate-limits.ts';
import { readOpenApiDocument, renderOperationsPage } from './generate-operations.ts';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/reference/errors.md', root), renderErrorsPage());
writeFileSync(new URL('docs/reference/limits-and-time-outs.md', root), renderLimitsPage());
writeFileSync(new URL('docs/reference/admin-api-operations.md', root), renderOperationsPage(await readOpenApiDocument()));

const readme = new URL('README.md', root);
const text = readFileSync(readme, 'utf8');
const start = '<!-- configuration:start -->';
const before = text.slice(0, text.indexOf(start) + start.length);
writeFileSync(readme, `${before}\n${configurationTable()}\n${text.slice(text.indexOf('<!-- configuration:end -->'))}`);
