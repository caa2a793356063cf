// Error codes (RFC 9113 §7).

/** Done. */
export const NO_ERROR = 0x0;

/** The peer broke a rule that has no code of its own. */
export const PROTOCOL_ERROR = 0x1;

/** None of the others fits. */
export const INTERNAL_ERROR = 0x2;

/** The peer sent more than its window. */
export const FLOW_CONTROL_ERROR = 0x3;

/** The peer has not acknowledged settings in time. */
export const SETTINGS_TIMEOUT = 0x4;

/** The peer sent a frame behind the end of its side of a stream. */
export const STREAM_CLOSED = 0x5;

/** A frame's length is none that it can have. */
export const FRAME_SIZE_ERROR = 0x6;

/** The stream was not processed. */
export const REFUSED_STREAM = 0x7;

/** The stream is wanted no more. */
export const CANCEL = 0x8;

/** The state of field compression is lost. */
export const COMPRESSION_ERROR = 0x9;

/** The peer costs too much. */
export const ENHANCE_YOUR_CALM = 0xb;
