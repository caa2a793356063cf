import { PortcullisError } from '../../errors/index.ts';
import type { AuditPlace, AuditQuery, NumberedAuditEntry, StoreHistory } from '../../store/index.ts';
import type { ApiAnswer } from '../http/index.ts';
import { csvField } from './csv-field.ts';
import { presentAuditEntry } from './present-audit-entry.ts';

/** Entries that are read, and held, at once. */
const ENTRIES_PER_READ = 500;

const CSV_COLUMNS: readonly (readonly [string, (entry: NumberedAuditEntry) => string | number | undefined])[] = [
  ['number', ({ number }) => number],
  ['time', ({ at }) => new Date(at * 1000).toISOString()],
  ['operator_id', ({ author }) => author.id],
  ['operator_name', ({ author }) => author.name],
  ['source', ({ origin }) => origin.source],
  ['event_type', ({ action }) => action],
  ['gateway_group_id', ({ groupId }) => groupId],
  ['resource_id', ({ resource }) => resource],
  ['address', ({ address }) => address],
  ['user_agent', ({ origin }) => origin.userAgent],
  ['request_id', ({ origin }) => origin.requestId],
  ['reason', ({ origin }) => origin.reason],
  ['detail', ({ detail }) => JSON.stringify(detail)],
  ['hash', ({ hash }) => hash?.toString('hex')],
];

/** The forms of an export by their names, each with what it makes of pages of entries. */
const FORMATS = {
  json: { contentType: 'application/json', pieces: jsonPieces },
  ndjson: { contentType: 'application/x-ndjson', pieces: ndjsonPieces },
  csv: { contentType: 'text/csv; charset=utf-8', pieces: csvPieces },
} as const;

/** All entries that match, read and sent page by page, so that a log of any length needs little memory. @throws PortcullisError 400 */
export function exportAudit(history: Pick<StoreHistory, 'findAudit'>, query: AuditQuery, format: string): ApiAnswer {
  if (!isFormat(format)) {
    const publicMessage = `the query parameter format must be one of ${Object.keys(FORMATS).join(', ')}`;
    throw new PortcullisError('admin_invalid', { publicMessage });
  }
  const { contentType, pieces } = FORMATS[format];
  return {
    headers: { 'content-disposition': `attachment; filename="audit-log.${format}"` },
    body: undefined,
    stream: { contentType, pieces: pieces(pagesOf(history, query)) },
  };
}

function isFormat(format: string): format is keyof typeof FORMATS {
  return Object.hasOwn(FORMATS, format);
}

type Pages = AsyncIterable<readonly NumberedAuditEntry[]>;

async function* pagesOf(history: Pick<StoreHistory, 'findAudit'>, query: AuditQuery): Pages {
  let after: AuditPlace | undefined;
  do {
    const page: readonly NumberedAuditEntry[] = await history.findAudit(query, after, ENTRIES_PER_READ);
    yield page;
    after = page.length < ENTRIES_PER_READ ? undefined : page.at(-1);
  } while (after !== undefined);
}

async function* jsonPieces(pages: Pages): AsyncIterable<string> {
  let before = '[';
  for await (const page of pages) {
    const text = page.map((entry) => {
      const piece = `${before}\n${JSON.stringify(presentAuditEntry(entry))}`;
      before = ',';
      return piece;
    });
    yield text.join('');
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

async function* ndjsonPieces(pages: Pages): AsyncIterable<string> {
  for await (const page of pages) yield page.map((entry) => `${JSON.stringify(presentAuditEntry(entry))}\n`).join('');
}

async function* csvPieces(pages: Pages): AsyncIterable<string> {
  yield `${CSV_COLUMNS.map(([name]) => name).join(',')}\r\n`;
  for await (const page of pages) {
    yield page.map((entry) => `${CSV_COLUMNS.map(([, read]) => csvField(read(entry))).join(',')}\r\n`).join('');
  }
}
