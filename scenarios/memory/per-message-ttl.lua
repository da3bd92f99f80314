-- A conversation as one key for each message, each with a TTL of its own. The conversation is in use all the time, and
-- still its oldest messages end one after the other: the history decays from its front, and an answer is given without
-- what it refers to.
--
-- Known from: langchain-redis, whose chat history gives its `ttl` to each message as it is added.
-- Sibling that holds: memory/conversation-ttl, one deadline for all of it.
scenario {
  name = "memory/per-message-ttl",
  row = "a key for each message, a TTL for each",
  about = "SET EX for each message; a message every 40 minutes, each with a TTL of an hour",
  known_from = "langchain-redis, RedisChatMessageHistory (https://github.com/langchain-ai/langchain-redis/blob/main/libs/redis/langchain_redis/chat_message_history.py)",
  instead = "memory/conversation-ttl",
  expect = "violated",
  message = "a message is gone from a conversation in use",
}

local minutes = 60 * 1000

client("user", function()
  local keys = {}
  for n = 1, 3 do
    keys[n] = "chat:7:" .. n
    redis("SET", keys[n], "message " .. n, "EX", 60 * 60)
    local kept = redis("EXISTS", keys)
    expect(kept == n, "a message is gone from a conversation in use")
    sleep(40 * minutes)
  end
end)
