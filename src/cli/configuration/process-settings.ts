import type { Setting } from './setting.ts';

/** How the processes of a gateway run. */
export const PROCESS_SETTINGS = [
  {
    name: 'no-spare-process',
    type: 'flag',
    defaultText: 'false',
    meaning: 'No gateway process waits, loaded, for the one in service to end: saves memory, and a crash is felt for longer',
    verbs: ['start', 'gateway'],
  },
  {
    name: 'documented-sockets',
    type: 'flag',
    defaultText: 'false',
    meaning: "Use documented interfaces of Node's sockets only, which is slower",
    verbs: ['start', 'gateway'],
  },
] as const satisfies readonly Setting[];
