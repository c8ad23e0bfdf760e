// Keys: what must be one, whatever arrives twice.
CREATE CONSTRAINT identifier_key IF NOT EXISTS FOR (i:Identifier) REQUIRE i.key IS UNIQUE;
CREATE CONSTRAINT identifier_mint IF NOT EXISTS FOR (i:Identifier) REQUIRE i.mint IS UNIQUE;
CREATE CONSTRAINT profile_id IF NOT EXISTS FOR (p:Profile) REQUIRE p.id IS UNIQUE;
CREATE CONSTRAINT interaction_id IF NOT EXISTS FOR (i:Interaction) REQUIRE i.id IS UNIQUE;
CREATE CONSTRAINT observation_key IF NOT EXISTS FOR (o:Observation) REQUIRE o.key IS UNIQUE;
CREATE CONSTRAINT act_id IF NOT EXISTS FOR (a:Act) REQUIRE a.id IS UNIQUE;
CREATE CONSTRAINT account_key IF NOT EXISTS FOR (a:Account) REQUIRE a.key IS UNIQUE;
CREATE CONSTRAINT order_key IF NOT EXISTS FOR (o:Order) REQUIRE o.key IS UNIQUE;
CREATE CONSTRAINT deal_key IF NOT EXISTS FOR (d:Deal) REQUIRE d.key IS UNIQUE;
CREATE CONSTRAINT ticket_key IF NOT EXISTS FOR (t:Ticket) REQUIRE t.key IS UNIQUE;
CREATE CONSTRAINT campaign_key IF NOT EXISTS FOR (c:Campaign) REQUIRE c.key IS UNIQUE;
CREATE CONSTRAINT product_key IF NOT EXISTS FOR (p:Product) REQUIRE p.key IS UNIQUE;
CREATE CONSTRAINT namespace_name IF NOT EXISTS FOR (n:Namespace) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT api_key_hash IF NOT EXISTS FOR (k:ApiKey) REQUIRE k.hash IS UNIQUE;
CREATE CONSTRAINT run_id IF NOT EXISTS FOR (r:Run) REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT dead_letter_id IF NOT EXISTS FOR (d:DeadLetter) REQUIRE d.id IS UNIQUE;
CREATE CONSTRAINT migration_number IF NOT EXISTS FOR (m:Migration) REQUIRE m.number IS UNIQUE;
// Ways in: a timeline page, a count in a window, the hash of an address, what waits for a recompute.
CREATE INDEX interaction_actor_at IF NOT EXISTS FOR (i:Interaction) ON (i.actor, i.at, i.id);
CREATE INDEX interaction_actor_name_at IF NOT EXISTS FOR (i:Interaction) ON (i.actor, i.name, i.at);
CREATE INDEX identifier_sha256 IF NOT EXISTS FOR (i:ContactPoint) ON (i.sha256);
CREATE INDEX act_a IF NOT EXISTS FOR (a:Act) ON (a.a);
CREATE INDEX act_b IF NOT EXISTS FOR (a:Act) ON (a.b);
CREATE INDEX identifier_pending IF NOT EXISTS FOR (i:Identifier) ON (i.pending);
CREATE INDEX profile_known IF NOT EXISTS FOR (p:Profile) ON (p.known, p.id);
CREATE FULLTEXT INDEX profile_text IF NOT EXISTS FOR (p:Profile) ON EACH [p.t_name, p.t_first_name, p.t_last_name, p.t_email, p.t_company];
