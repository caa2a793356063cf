/** Where a gateway finds an exported snapshot. */
export type SnapshotPlace = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'url'; readonly url: string };

/** For logs: an address without user, password and query, which may hold secrets. */
export function describePlace(place: SnapshotPlace): string {
  if (place.kind === 'file') return place.path;
  const { origin, pathname } = new URL(place.url);
  return `${origin}${pathname}`;
}
