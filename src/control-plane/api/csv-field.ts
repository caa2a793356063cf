/**
 * A value as a field of CSV (RFC 4180), always quoted. What a spreadsheet would take for a formula gets an apostrophe in front, which makes
 * it text there (OWASP, CSV injection).
 */
export function csvField(value: string | number | undefined): string {
  if (value === undefined) return '""';
  const text = typeof value === 'number' || !/^[=+\-@\t\r\n＝＋－＠]/.test(value) ? String(value) : `'${value}`;
  return `"${text.replaceAll('"', '""')}"`;
}
