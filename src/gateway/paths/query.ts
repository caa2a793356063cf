import type { QueryArgument } from '../../plugin-kit/request-view.ts';

/** `query`: byte string without `?`. `name`: configured text. */
export function findQueryArgument(_query: string, _name: string): QueryArgument {
  return { kind: 'absent' };
}
/** The query without every argument of this name; all others byte for byte, in their order. */
export function removeQueryArgument(query: string, _name: string): string {
  return query;
}
