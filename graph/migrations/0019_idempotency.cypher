// What was done under a key that its caller chose, so that the same again is answered and not done again.
CREATE CONSTRAINT idempotency_key_key IF NOT EXISTS FOR (k:IdempotencyKey) REQUIRE k.key IS UNIQUE;
CREATE INDEX idempotency_key_at IF NOT EXISTS FOR (k:IdempotencyKey) ON (k.at);
