import type { RequestRateSettings } from '../http/index.ts';

/** The rates that are the defaults of the settings. */
export const REQUEST_RATES: RequestRateSettings = { perAddress: 2_000, perUser: 1_000 };
