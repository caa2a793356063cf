import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up in a clone as in a released package. */
export function softwareVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '0.0.0';
}
