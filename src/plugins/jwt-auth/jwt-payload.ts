import { type JsonObject, type RequestSlot, requestSlot } from '../../plugin-kit/index.ts';

/** Where jwt-auth keeps the payload of a verified token with `store_in_ctx`, for plugins that run later. */
export const jwtPayload: RequestSlot<JsonObject> = requestSlot('jwt payload');
