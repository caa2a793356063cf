const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text is the name of a header field (token, RFC 9110 §5.6.2). */
export function isFieldName(text: string): boolean {
  return FIELD_NAME.test(text);
}

/**
 * Whether a byte string can be the value of a header field: HTAB, printable ASCII and 0x80-0xFF (RFC 9110 §5.5). So no value
 * that a plugin or a configuration supplies can end its line and begin another.
 */
export function isFieldValue(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;

/** Whether a text is a request method (token, RFC 9110 §9.1) of the length that the engine takes from clients, too. */
export function isMethod(text: string): boolean {
  return METHOD.test(text);
}

/** Whether a byte string can stand as the target of a request line (RFC 9112 §3.2.1): a path, with whatever follows it, and no blank or control. */
export function isRequestTarget(text: string): boolean {
  if (text.charCodeAt(0) !== 0x2f) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f || code > 0xff || code === 0x23) return false;
  }
  return true;
}
