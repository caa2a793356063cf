import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { cleanEnvironment } from './clean-environment.ts';
import { oddCurveCertificate } from './odd-curve.ts';
import { TestAuthority } from './test-authority.ts';

/** What a server shows that `authority` vouches for, and that sends a certificate on an unusual curve beside its own as if it were of that authority. */
export interface OddServer {
  readonly authority: TestAuthority;
  readonly shown: { readonly cert: string; readonly key: string };
}

export async function oddServer(): Promise<OddServer> {
  const authority = await TestAuthority.create('root');
  const own = await authority.issue({ names: ['localhost', '127.0.0.1'] });
  const impostor = oddCurveCertificate('root', 'secp256k1');
  return { authority, shown: { ...own, cert: `${own.cert}\n${authority.cert}\n${impostor.cert}` } };
}

/**
 * Runs a client in a process of its own, for what makes one safe makes all of its process safe, and what is unsafe ends the process. `call` is an
 * expression that imports what it needs and promises something. Returns what became of it, and how the process ended.
 */
export async function runClient(call: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = `
    const told = await (async () => ${call})().then(() => 'done', (error) => error.message);
    process.stdout.write(told, () => process.exit(0));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...cleanEnvironment(), ...environment },
  });
  const [told, [status, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return status === 0 ? told : `ended by ${signal ?? status}`;
}
