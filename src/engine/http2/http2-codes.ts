// What RFC 9113 numbers. `node:http2` knows them too, but is loaded only when somebody speaks HTTP/2.

/** Flag of HEADERS and DATA: nothing follows. */
export const END_STREAM = 0x1;

/** Error code: done. */
export const NO_ERROR = 0x0;

/** Error code: the stream was not processed. */
export const REFUSED_STREAM = 0x7;

/** Error code: the stream is wanted no more. */
export const CANCEL = 0x8;

/** Error code: none of the others fits. */
export const INTERNAL_ERROR = 0x2;

/** Error code: the peer costs too much. */
export const ENHANCE_YOUR_CALM = 0xb;
