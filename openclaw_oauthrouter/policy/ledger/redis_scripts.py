"""The ledger's two atomic steps as Redis runs them. Numbers are whole and far below 2^53, so Lua's doubles hold them exactly."""

from __future__ import annotations

RESERVE = """
-- KEYS[1]: all holds. ARGV: prefix, id, hold, limits, now, lease in ms.
local prefix, id, hold, limits = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local now = tonumber(ARGV[5])
redis.call('SET', prefix .. 'alive:' .. hold.owner, '1', 'PX', ARGV[6])

local function others()
  local found, flat = {}, redis.call('HGETALL', KEYS[1])
  for i = 1, #flat, 2 do
    if flat[i] ~= id then found[flat[i]] = cjson.decode(flat[i + 1]) end
  end
  return found
end

local function counts(limit, other)
  return string.sub(other.day, 1, #limit.window) == limit.window
    and (limit.scope == '' or limit.scope == other.model or limit.scope == other.client)
end

local function shortfall(held)
  for index, limit in ipairs(limits) do
    local used = tonumber(redis.call('HGET', prefix .. 'used:' .. limit.window, limit.scope .. '|' .. limit.quantity) or '0')
    local aside = 0
    for _, other in pairs(held) do
      if counts(limit, other) then aside = aside + other[limit.quantity] end
    end
    if used + aside + hold[limit.quantity] > limit.most then return {index, used, aside} end
  end
  return nil
end

local function drop_abandoned(held)
  for other_id, other in pairs(held) do
    if other.expires_at <= now or redis.call('EXISTS', prefix .. 'alive:' .. other.owner) == 0 then
      redis.call('HDEL', KEYS[1], other_id)
    end
  end
end

local held = others()
local short = shortfall(held)
if short then
  drop_abandoned(held)
  short = shortfall(others())
end
if not short then redis.call('HSET', KEYS[1], id, ARGV[3]) end
return short
"""

SETTLE = """
-- KEYS[1]: all holds. ARGV: prefix, id, windows, scopes, amounts, how many seconds a window is kept.
-- A client that lost the answer asks again; the mark keeps the second time from booking twice.
local prefix, id = ARGV[1], ARGV[2]
if not redis.call('SET', prefix .. 'settled:' .. id, '1', 'NX', 'EX', 86400) then return 0 end
redis.call('HDEL', KEYS[1], id)
for _, window in ipairs(cjson.decode(ARGV[3])) do
  local key = prefix .. 'used:' .. window
  for _, scope in ipairs(cjson.decode(ARGV[4])) do
    for quantity, amount in pairs(cjson.decode(ARGV[5])) do
      redis.call('HINCRBY', key, scope .. '|' .. quantity, amount)
    end
  end
  redis.call('EXPIRE', key, ARGV[6])
end
return 1
"""
