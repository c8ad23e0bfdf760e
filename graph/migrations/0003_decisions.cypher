// What was decided together is found by its decision; every change to who is who is in the log, in the order of time.
CREATE INDEX act_decision IF NOT EXISTS FOR (a:Act) ON (a.decision);
CREATE CONSTRAINT change_id IF NOT EXISTS FOR (c:Change) REQUIRE c.id IS UNIQUE;
CREATE INDEX change_at IF NOT EXISTS FOR (c:Change) ON (c.at, c.id);
