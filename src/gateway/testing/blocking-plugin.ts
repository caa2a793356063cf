import { type AnyPlugin, definePlugin, type RequestView, Type } from '../../plugin-kit/index.ts';

/** The header that names the phase in which `blocking` is to hold its thread for ever. */
const FIELD = 'x-block';

function later(name: string, priority: number, atPhase: (phase: string, asked: string | undefined) => void): AnyPlugin {
  const askedOf = (request: RequestView): string | undefined => request.header(FIELD);
  return definePlugin<object, undefined>({
    name,
    version: '1',
    priority,
    type: 'other',
    schema: Type.Object({}),
    secretFields: [],
    identityHeaders: [],
    create: () => undefined,
    phases: {
      headerFilter: (request) => atPhase('headerFilter', askedOf(request)),
      bodyFilter: (request) => {
        const asked = askedOf(request);
        return {
          write: (chunk, push) => {
            atPhase('bodyFilter', asked);
            push(chunk);
          },
          end: () => {},
        };
      },
      log: (request) => atPhase('log', askedOf(request)),
    },
  });
}

function blockWhereAsked(phase: string, asked: string | undefined): void {
  if (asked === phase) for (let turns = 0; ; turns = (turns + 1) % 1000);
}

/**
 * `blocking` holds its worker in the phase that a request names; `harmless` is entered behind it in every phase, so that no phase but the
 * one that blocks leaves the first one's name. For the agent and, by this module's address, for its workers.
 */
export const PLUGINS: readonly AnyPlugin[] = [later('blocking', -1, blockWhereAsked), later('harmless', -2, () => {})];
