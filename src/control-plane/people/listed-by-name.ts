import type { JsonObject } from '../../lib/json.ts';
import type { ListedItems } from '../api/paging.ts';

interface Named {
  readonly name: string;
  readonly labels: JsonObject | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** How lists of roles and policies are searched, by their names, and ordered. */
export function listedByName<Item extends Named>(present: (item: Item) => JsonObject): ListedItems<Item> {
  return {
    present,
    texts: ({ name }) => [name],
    labels: ({ labels }) => labels,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  };
}
