import { fileURLToPath } from 'node:url';

/** The program file of a child process, beside this program: `.ts` in a clone, `.js` in a released package. */
export function processFile(name: 'control-plane-process' | 'gateway-process' | 'demo-upstream-process'): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../processes/${name}.${ending}`, import.meta.url));
}
