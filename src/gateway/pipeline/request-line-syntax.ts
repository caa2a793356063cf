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
