import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from './clean-environment.ts';

/** The real launcher. */
export const LAUNCHER = fileURLToPath(new URL('../bin/portcullis.js', import.meta.url));

/** How a command of the command line ended, and what it said. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a command that ends by itself, with those variables beside the clean ones of this process. Does not reject when the command fails. */
export function portcullisOutcome(words: readonly string[], environment: Environment = {}): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [LAUNCHER, ...words], { env: { ...cleanEnvironment(), ...environment } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** What such a command prints. @throws Error with what it said when it fails */
export async function runPortcullis(words: readonly string[], environment: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await portcullisOutcome(words, environment);
  if (code !== 0) throw new Error(`portcullis ${words.join(' ')} ended with code ${code}: ${stderr}`);
  return stdout;
}
