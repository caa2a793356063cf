import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JsonObject } from '../../lib/json.ts';

/** The JSON examples of a plugin's page, in order; `folder` is the plugin's. */
export async function readExamples(folder: string): Promise<readonly JsonObject[]> {
  const page = await readFile(path.join(folder, 'README.md'), 'utf8');
  return [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
}

/** The configuration that an example gives the plugin of this name. @throws Error where it has none */
export function exampleOf(example: JsonObject | undefined, name: string): JsonObject {
  const configuration = Object(Object(example).plugins)[name];
  if (typeof configuration !== 'object' || configuration === null) throw new Error(`the example has no ${name}`);
  return configuration;
}
