import { StartError } from '../../errors/index.ts';
import type { Listener } from '../../lib/listener.ts';
import type { StatusServer } from '../../observability/index.ts';

/** Opens the status server. @throws StartError that names the addresses when one of them cannot be had */
export async function listenForStatus(server: StatusServer, listeners: readonly Listener[]): Promise<readonly number[]> {
  try {
    return await server.listen();
  } catch (error) {
    const places = listeners.map(({ host, port }) => `${host}:${port}`).join(', ');
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartError(`The status address ${places} cannot be listened on (${code}).`, { cause: error });
  }
}
