import { lookup } from 'node:dns/promises';

/** All addresses of a name as the system's resolver has them. @throws Error where there are none */
export async function resolveName(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}
