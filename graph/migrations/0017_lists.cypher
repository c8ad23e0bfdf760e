// Lists of profiles and accounts in the order of when they were seen, and accounts by a text.
CREATE INDEX profile_last_seen IF NOT EXISTS FOR (p:Profile) ON (p.last_seen, p.id);
CREATE INDEX profile_first_seen IF NOT EXISTS FOR (p:Profile) ON (p.first_seen, p.id);
CREATE INDEX account_last_seen IF NOT EXISTS FOR (a:Account) ON (a.last_seen, a.key);
CREATE FULLTEXT INDEX account_text IF NOT EXISTS FOR (a:Account) ON EACH [a.name, a.domain];
