import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Session } from '../session/session.ts';
import { Instance } from './instance.ts';
import { OWN_CHECKOUT } from './own-checkout.ts';

/** What a store is filled with while nothing runs. */
export interface Filling {
  /** Of the data folder. */
  readonly name: string;
  /** Is given the data folder and the count. */
  readonly program: string;
  readonly count: number;
  /** Of an empty PostgreSQL database; without it the store is the file in the data folder. */
  readonly databaseURL?: string | undefined;
}

/** Starts Portcullis as a user runs it, with one worker, over a store that was filled; the token opens its Admin API. */
export async function startFilled(session: Session, { name, program, count, databaseURL }: Filling) {
  const token = `a7ee-${randomBytes(24).toString('hex')}`;
  const dataFolder = session.makeFolder(`${name}-${count}`);
  const options = { session, checkout: OWN_CHECKOUT, dataFolder, token, flags: ['--workers', '1'], nodeOptions: undefined, databaseURL };
  // The first start makes the installation.
  await (await Instance.start({ ...options, keyCount: 0 })).stop();
  const fill = session.spawn(process.execPath, [program, dataFolder, String(count)], {
    cores: undefined,
    env: { ...process.env, DATABASE_URL: databaseURL },
  });
  const [code] = await once(fill, 'exit');
  if (code !== 0) throw new Error(`filling the store ended with code ${code}`);
  return { instance: await Instance.start({ ...options, keyCount: count }), token };
}
