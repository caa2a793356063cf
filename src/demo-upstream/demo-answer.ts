import type { JsonObject } from '../lib/json.ts';

/** What the demo upstream sends back. */
export interface DemoAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, or in pieces that are sent one by one as chunks. */
  readonly body: Buffer | readonly Buffer[];
}

/** JSON as httpbin writes it: names sorted, indented by two, ended by a line break. */
export function jsonAnswer(value: JsonObject): DemoAnswer {
  const sorted = Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(`${JSON.stringify(sorted, undefined, 2)}\n`),
  };
}

/** A sentence for a person. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): DemoAnswer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body: Buffer.from(`${text}\n`) };
}

/** The pages that httpbin sends for 404 and 405. */
export function htmlAnswer(status: number, title: string, text: string, headers: Readonly<Record<string, string>> = {}): DemoAnswer {
  const page = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`;
  return { status, headers: { 'Content-Type': 'text/html', ...headers }, body: Buffer.from(page) };
}
