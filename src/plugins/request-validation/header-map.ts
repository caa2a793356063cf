import type { RequestView } from '../../plugin-kit/index.ts';

/** Headers by lower-case name, as text: a list where one is repeated. Without a prototype. */
export function headerMap(request: RequestView): Readonly<Record<string, string | string[]>> {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const name of request.headerNames()) {
    const values = request.headerValues(name).map((value) => Buffer.from(value, 'latin1').toString('utf8'));
    const [first = ''] = values;
    headers[name] = values.length === 1 ? first : values;
  }
  return headers;
}
