import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../session/find-program.ts';
import { answers } from '../session/http-answer.ts';
import type { Session } from '../session/session.ts';
import { until } from '../session/until.ts';

/** A million keys take nginx a while to hash. */
const START_LIMIT_MS = 120_000;

export interface NginxOptions {
  readonly session: Session;
  readonly folder: string;
  readonly cores: string | undefined;
  readonly configuration: string;
  readonly port: number;
}

/** Starts an nginx and waits until it answers. */
export async function startNginx(options: NginxOptions): Promise<ChildProcess> {
  const file = path.join(options.folder, 'nginx.conf');
  writeFileSync(file, options.configuration);
  const words = ['-p', options.folder, '-e', path.join(options.folder, 'error.log'), '-c', file];
  const child = options.session.spawn(findProgram('nginx') ?? 'nginx', words, { cores: options.cores });
  await until(() => requireAlive(child) && answers(options.port), 'nginx answers', START_LIMIT_MS);
  return child;
}

/** @throws when the process has ended */
export function requireAlive(child: ChildProcess): true {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
  return true;
}
