import { isUtf8 } from 'node:buffer';
import { type GroupedValue, groupValues } from './grouped-values.ts';

/** What a form's body holds. */
export interface FormContent {
  readonly form: Readonly<Record<string, GroupedValue>>;
  /** Contents of uploaded files by field name. */
  readonly files: Readonly<Record<string, GroupedValue>>;
}

const FORM_TYPE = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/** Reads a body of one of the two form types; undefined for any other type. A malformed form is an empty one. */
export async function readForm(contentType: string | undefined, body: Buffer): Promise<FormContent | undefined> {
  if (contentType === undefined || !FORM_TYPE.test(contentType)) return undefined;
  const fields: [string, string][] = [];
  const files: [string, string][] = [];
  try {
    const content = await new Response(new Uint8Array(body), { headers: { 'Content-Type': contentType } }).formData();
    for (const [name, value] of content) {
      if (typeof value === 'string') fields.push([name, value]);
      else files.push([name, textOrDataUrl(Buffer.from(await value.arrayBuffer()), value.type)]);
    }
  } catch {
    // What was sent is no form after all; httpbin shows nothing of it either.
  }
  return { form: groupValues(fields), files: groupValues(files) };
}

/** Bytes as text where they are UTF-8, else as a `data:` URL. */
export function textOrDataUrl(bytes: Buffer, contentType: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return `data:${contentType === '' ? 'application/octet-stream' : contentType};base64,${bytes.toString('base64')}`;
}
