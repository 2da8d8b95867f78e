"""The ledger's atomic steps as Redis runs them. Numbers are whole and far below 2^53, so Lua's doubles hold them exactly.

Keys under one prefix: ``about`` (that there is a ledger), ``held`` (reservations by id), ``moments`` (accounts' moments, sorted),
``rows:<moment>`` (totals, by account and process), ``alive:<process>`` (leases), ``void:<id>`` (reservations that were given up before
it was known whether they were made).
"""

from __future__ import annotations

RESERVE = """
-- KEYS[1]: all reservations. ARGV: prefix, id, reservation, claims, now, lease in ms, keep seconds.
local prefix, id, asked, claims = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local now = tonumber(ARGV[5])
if redis.call('EXISTS', prefix .. 'about') == 0 then return {'lost'} end
if redis.call('EXISTS', prefix .. 'void:' .. id) == 1 then return {'void'} end
redis.call('SET', prefix .. 'alive:' .. asked.owner, '1', 'PX', ARGV[6])

local place = {provider = 2, model = 3, client = 4, conversation = 5}
local amount = {requests = 1, input_tokens = 2, output_tokens = 3, microdollars = 4, unpriced = 5}

local function counts(claim, account)
  local moment = account[1]
  if moment < claim.start or moment >= claim['end'] then return false end
  if claim.quantity == 'microdollars' and account[6] == 'plan' then return false end
  return claim.kind == '' or account[place[claim.kind]] == claim.name
end

local function add_used()
  local first = nil
  for _, claim in ipairs(claims) do
    if first == nil or claim.recent < first then first = claim.recent end
  end
  if first == nil then return end
  for _, moment in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'moments', first, '+inf')) do
    local flat = redis.call('HGETALL', prefix .. 'rows:' .. moment)
    for i = 1, #flat, 2 do
      local account, used = cjson.decode(flat[i]), nil
      for _, claim in ipairs(claims) do
        if account[1] >= claim.recent and counts(claim, account) then
          used = used or cjson.decode(flat[i + 1])
          claim.used = claim.used + used[amount[claim.quantity]]
        end
      end
    end
  end
end

local function add_held()
  for _, claim in ipairs(claims) do claim.held = 0 end
  local flat = redis.call('HGETALL', KEYS[1])
  for i = 1, #flat, 2 do
    if flat[i] ~= id then
      local other = cjson.decode(flat[i + 1])
      for _, claim in ipairs(claims) do
        if counts(claim, other.account) then claim.held = claim.held + other.amounts[amount[claim.quantity]] end
      end
    end
  end
end

-- Clocks of machines differ, so a reservation's time counts for the process that made it; for others its lease does.
local function drop_abandoned()
  local flat = redis.call('HGETALL', KEYS[1])
  for i = 1, #flat, 2 do
    local other = cjson.decode(flat[i + 1])
    local own = other.owner == asked.owner
    if own and other.expires_at <= now or not own and redis.call('EXISTS', prefix .. 'alive:' .. other.owner) == 0 then
      redis.call('HDEL', KEYS[1], flat[i])
    end
  end
end

local function shortfall()
  for index, claim in ipairs(claims) do
    if claim.used + claim.held + asked.amounts[amount[claim.quantity]] > claim.most then return index end
  end
  return 0
end

add_used()
add_held()
local short = shortfall()
if short > 0 then
  drop_abandoned()
  add_held()
  short = shortfall()
end
if short == 0 then redis.call('HSET', KEYS[1], id, ARGV[3]) end
local answer = {short}
for _, claim in ipairs(claims) do
  answer[#answer + 1] = claim.used
  answer[#answer + 1] = claim.held
end
return answer
"""

WRITE = """
-- KEYS[1]: all reservations. ARGV: prefix, rows as [field, moment, totals], ids to drop, keep seconds, "anew" where there may be no
-- ledger, ids to drop of which nobody knows whether they were made: the server may still have the request for one before it.
local prefix, keep = ARGV[1], ARGV[4]
if ARGV[5] == 'anew' then redis.call('SET', prefix .. 'about', '2')
elseif redis.call('EXISTS', prefix .. 'about') == 0 then return 'lost' end
for _, id in ipairs(cjson.decode(ARGV[3])) do redis.call('HDEL', KEYS[1], id) end
for _, id in ipairs(cjson.decode(ARGV[6])) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('SET', prefix .. 'void:' .. id, '1', 'EX', 3600)
end
for _, row in ipairs(cjson.decode(ARGV[2])) do
  local key = prefix .. 'rows:' .. row[2]
  local before = redis.call('HGET', key, row[1])
  local totals = row[3]
  if before then
    for i, amount in ipairs(cjson.decode(before)) do
      if amount > totals[i] then totals[i] = amount end
    end
  end
  redis.call('HSET', key, row[1], cjson.encode(totals))
  redis.call('EXPIRE', key, keep)
  redis.call('ZADD', prefix .. 'moments', row[2], row[2])
end
return 'ok'
"""

FOLD = """
-- KEYS[1]: moments. ARGV: prefix, moment from which rows stay as they are, how many moments to fold at most, keep seconds.
-- Makes one row a UTC day of what is older: of all processes and conversations together.
local prefix, before, keep = ARGV[1], ARGV[2], ARGV[4]
local folded = 0
for _, moment in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. before, 'LIMIT', 0, ARGV[3])) do
  local noon = math.floor(tonumber(moment) / 86400) * 86400 + 43200
  local from, to = prefix .. 'rows:' .. moment, prefix .. 'rows:' .. string.format('%d', noon)
  local flat = redis.call('HGETALL', from)
  if #flat == 0 then redis.call('ZREM', KEYS[1], moment) end
  local moved = false
  for i = 1, #flat, 2 do
    local account = cjson.decode(flat[i])
    if account[7] ~= 'folded' then
      local field = cjson.encode({noon, account[2], account[3], account[4], '', account[6], 'folded'})
      local sums, more = redis.call('HGET', to, field), cjson.decode(flat[i + 1])
      if sums then
        for j, amount in ipairs(cjson.decode(sums)) do more[j] = more[j] + amount end
      end
      redis.call('HDEL', from, flat[i])
      redis.call('HSET', to, field, cjson.encode(more))
      moved = true
    end
  end
  if moved then
    folded = folded + 1
    redis.call('EXPIRE', to, keep)
    redis.call('ZADD', KEYS[1], noon, string.format('%d', noon))
    if from ~= to then redis.call('ZREM', KEYS[1], moment) end
  end
end
return folded
"""
