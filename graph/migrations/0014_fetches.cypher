// Records of webhooks whose rest is still to be fetched from their vendor, in the order in which they are due.
CREATE CONSTRAINT pending_fetch_id IF NOT EXISTS FOR (f:PendingFetch) REQUIRE f.id IS UNIQUE;
CREATE INDEX pending_fetch_due IF NOT EXISTS FOR (f:PendingFetch) ON (f.due_at);
