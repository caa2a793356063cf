/** What a variable of a request is: nothing under an unknown name or where the request has none. Texts are byte strings where they come off the wire. */
export type VariableValue = string | number | readonly string[] | undefined;
