import { hash } from 'node:crypto';

/** A script of the server. */
export interface CounterScript {
  readonly text: string;
  /** SHA-1 of the text: how the server names it. */
  readonly sha: string;
}

function script(text: string): CounterScript {
  return Object.freeze({ text, sha: hash('sha1', text) });
}

/**
 * A window that begins with its first request and ends when its key expires. ARGV: limit, window in milliseconds, how many to
 * count, and 1 where they are counted whatever the limit. Gives whether they were, the count, and the milliseconds left.
 */
export const FIXED_WINDOW = script(`
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local left = redis.call('pttl', KEYS[1])
if left < 0 then
  redis.call('set', KEYS[1], ARGV[3], 'px', ARGV[2])
  return {1, cost, window}
end
local count = tonumber(redis.call('get', KEYS[1]))
if ARGV[4] ~= '1' and count + cost > limit then return {0, count, left} end
return {1, redis.call('incrby', KEYS[1], ARGV[3]), left}
`);

/** The server's own clock, the same for all that ask it, in milliseconds. */
const NOW = `local time = redis.call('time')
local now = time[1] * 1000 + time[2] / 1000`;

/**
 * Two windows on the clock, the one before by its share. ARGV as for a fixed window. Gives whether they were counted, what remains, and
 * the milliseconds to the end of the window, or those to wait. APISIX, limit-count, sliding window.
 */
export const SLIDING_WINDOW = script(`
${NOW}
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local number = math.floor(now / window)
local rest = window - now % window
local last = redis.call('hmget', KEYS[1], 'number', 'count', 'previous')
local count, previous = 0, 0
if last[1] and tonumber(last[1]) == number then
  count, previous = tonumber(last[2]), tonumber(last[3])
elseif last[1] and tonumber(last[1]) == number - 1 then
  previous = tonumber(last[2])
end
local covered = math.min(previous, limit)
local estimate = covered * rest / window + count
if ARGV[4] ~= '1' and estimate >= limit then
  if count >= limit or covered == 0 then return {0, 0, math.ceil(rest)} end
  return {0, 0, math.ceil(math.max(0, rest - (limit - count) / covered * window))}
end
redis.call('hset', KEYS[1], 'number', string.format('%.0f', number), 'count', string.format('%.0f', count + cost),
  'previous', string.format('%.0f', previous))
redis.call('pexpire', KEYS[1], string.format('%.0f', window * 2))
return {1, math.max(0, math.floor(limit - estimate - cost)), math.ceil(rest)}
`);

/**
 * A leaky bucket. ARGV: rate in thousandths of a request a millisecond, burst in thousandths. Gives whether the request was taken and the
 * excess in thousandths. APISIX, limit-req.
 */
export const LEAKY_BUCKET = script(`
${NOW}
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local last = redis.call('hmget', KEYS[1], 'excess', 'time')
local excess = 0
if last[1] then
  excess = math.floor(math.max(0, tonumber(last[1]) - rate * math.abs(now - tonumber(last[2])) + 1000) + 0.5)
end
if excess > burst then return {0, 0} end
redis.call('hset', KEYS[1], 'excess', string.format('%.0f', excess), 'time', string.format('%.3f', now))
redis.call('pexpire', KEYS[1], string.format('%.0f', math.min(1e12, math.ceil((excess + 1000) / rate) + 1)))
return {1, excess}
`);

/**
 * What is in flight, as a set ordered by when an entry counts no longer, so that those of a crashed instance go. ARGV: limit, lifetime in
 * milliseconds, name of the entry. Gives whether it was entered and how many are in flight.
 */
export const ENTER = script(`
${NOW}
redis.call('zremrangebyscore', KEYS[1], '-inf', string.format('%.3f', now))
local count = redis.call('zcard', KEYS[1])
if count >= tonumber(ARGV[1]) then return {0, count} end
redis.call('zadd', KEYS[1], string.format('%.3f', now + tonumber(ARGV[2])), ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[2])
return {1, count + 1}
`);

/** ARGV: name of the entry. */
export const LEAVE = script(`return redis.call('zrem', KEYS[1], ARGV[1])`);
