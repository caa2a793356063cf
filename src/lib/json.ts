/** A value that JSON text can express. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object; its keys are users' text, so look keys up with `Object.hasOwn`. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
