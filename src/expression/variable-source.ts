/** What a variable of a request is. A number equals the text that spells it; undefined: the request has none, or no such name is known. */
export type VariableValue = string | number | readonly string[] | undefined;

/**
 * Where expressions and templates get the values of variables. Names and texts are byte strings, one character per byte, as
 * `byteStringOf` makes them of configured text: what came off the wire is given as it is.
 */
export interface VariableSource {
  /** `name` without `$`, e.g. `arg_id`. */
  variable(name: string): VariableValue;
}
