/** A named place in every request where one plugin keeps what its later phases need. Made once, beside the plugin's definition. */
export interface RequestSlot<Value> {
  readonly name: string;
  /** Never there: it ties a slot to the type of what it holds. */
  readonly holds?: Value;
}

/** A new slot; two with the same name are two slots. */
export function requestSlot<Value>(name: string): RequestSlot<Value> {
  return Object.freeze({ name });
}
