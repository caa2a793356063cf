/** Where a server listens: on a descriptor that the supervisor bound, or on an address it binds itself. */
export type Listener =
  | { readonly kind: 'descriptor'; readonly fd: number; readonly host: string; readonly port: number }
  | { readonly kind: 'address'; readonly host: string; readonly port: number };
